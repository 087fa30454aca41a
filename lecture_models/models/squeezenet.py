"""Defines SqueezeNet 1.1: fire modules, then one convolution to class maps and their global mean.

Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model
size", 2016, section 3; version 1.1 of github.com/forresti/SqueezeNet.
"""

from collections.abc import Callable

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, DTypeLike, Float

from lecture_models.nn.pooling import max_pool

Maps = Float[Array, "batch height width channel"]
Filtered = Float[Array, "batch new_height new_width new_channel"]
Activations = dict[str, Float[Array, "batch ..."]]

# For each fire module the channels of its squeeze layer, and of each of its two expand layers.
_FIRES = {
    "fire2": (16, 64),
    "fire3": (16, 64),
    "fire4": (32, 128),
    "fire5": (32, 128),
    "fire6": (48, 192),
    "fire7": (48, 192),
    "fire8": (64, 256),
    "fire9": (64, 256),
}
_POOLED = {"fire3": "pool3", "fire5": "pool5"}


class _Fire(nn.Module):
    """Reduces the channels by a 1x1 convolution, then applies 1x1 and 3x3 ones in parallel.

    Iandola et al., 2016, section 3.2.
    """

    squeezed: int
    expanded: int
    nonlinearity: Callable[[Array], Array]
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Maps) -> tuple[Filtered, Activations]:
        activations = {}

        def convolve(x, name, channels, size):
            kernel_init = nn.initializers.he_normal()
            convolution = nn.Conv(
                channels, (size, size), kernel_init=kernel_init, dtype=self.dtype, name=name
            )
            activations[name] = x = convolution(x)
            activations[f"relu_{name}"] = x = self.nonlinearity(x)
            return x

        x = convolve(x, "squeeze1x1", self.squeezed, 1)
        ones = convolve(x, "expand1x1", self.expanded, 1)
        threes = convolve(x, "expand3x3", self.expanded, 3)
        activations["concat"] = x = jnp.concatenate((ones, threes), axis=-1)
        return x, activations


class SqueezeNet(nn.Module):
    """Computes logits, and all activations by name, from images.

    Logits are the means of rectified class maps, so none of them is negative. Layers and
    activations have the names of the authors' Caffe model: `conv1` (before the nonlinearity),
    `relu_conv1`, `pool1`, `fire2/squeeze1x1`, `fire2/relu_squeeze1x1`, ..., `fire9/concat`,
    `conv10`, `relu_conv10`. Images have a side of at least 17 pixels; the authors train at 227x227.

    Attributes:
        num_classes: the number of classes; 0 means that there is no `conv10`. Logits then have
            shape (batch, 0).
        pool: the pooling function, `max_pool` or `mean_pool` of `nn.pooling`.
        dropout_rate: the rate of the dropout before `conv10`, from 0 to 1.
        nonlinearity: the function after each convolution.
        dtype: the type in which the network computes; logits are float32.
    """

    num_classes: int = 1000
    pool: Callable[..., Array] = max_pool
    dropout_rate: float = 0.5
    nonlinearity: Callable[[Array], Array] = nn.relu
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(
        self, images: Maps, training: bool = False
    ) -> tuple[Float[Array, "batch class"], Activations]:
        """Returns logits and the activations by name.

        Args:
            images: the images, preprocessed.
            training: whether dropout is active; it then draws from the rng `dropout`.

        Raises:
            ValueError: the image is too small for all poolings.
        """
        settings = {"dtype": self.dtype, "kernel_init": nn.initializers.he_normal()}
        activations = {}
        convolution = nn.Conv(64, (3, 3), 2, padding="VALID", name="conv1", **settings)
        activations["conv1"] = x = convolution(images)
        activations["relu_conv1"] = x = self.nonlinearity(x)
        activations["pool1"] = x = self.pool(x, 3, 2, ceil=True)
        for fire, (squeezed, expanded) in _FIRES.items():
            x, inner = _Fire(squeezed, expanded, self.nonlinearity, self.dtype, name=fire)(x)
            activations |= {f"{fire}/{name}": value for name, value in inner.items()}
            if fire in _POOLED:
                activations[_POOLED[fire]] = x = self.pool(x, 3, 2, ceil=True)
        if self.num_classes == 0:
            return jnp.zeros((len(x), 0)), activations
        x = nn.Dropout(self.dropout_rate, deterministic=not training)(x)
        activations["conv10"] = x = nn.Conv(self.num_classes, (1, 1), name="conv10", **settings)(x)
        activations["relu_conv10"] = x = self.nonlinearity(x)
        return x.astype(jnp.float32).mean((1, 2)), activations
