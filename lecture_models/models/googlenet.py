"""Defines GoogLeNet: nine inception modules, 22 layers deep, with two auxiliary heads in training.

Layers and activations have the names of BVLC's Caffe model, such as `inception_3b/5x5_reduce`.

Szegedy et al., "Going deeper with convolutions", 2015, Table 1. Details follow the Caffe model:
local response normalization by the mean of 5 channels' squares, and pooling rounded up.
"""

from collections.abc import Callable

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, DTypeLike, Float

from lecture_models.nn.local_response_norm import caffe_local_response_norm
from lecture_models.nn.pooling import max_pool, mean_pool

Maps = Float[Array, "batch height width channel"]
Filtered = Float[Array, "batch new_height new_width new_channel"]
Activations = dict[str, Float[Array, "batch ..."]]
Nonlinearity = Callable[[Array], Array]

# Table 1: output channels of 1x1, 3x3_reduce, 3x3, 5x5_reduce, 5x5, pool_proj.
_MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
_LAST_BEFORE_POOLING = {"3b": "pool3/3x3_s2", "4e": "pool4/3x3_s2"}
_AUXILIARY = {"4a": "loss1", "4d": "loss2"}


class _Convolutions(nn.Module):
    """Applies convolutions in sequence, each given as (name, channels, window, stride)."""

    layers: tuple[tuple[str, int, int, int], ...]
    nonlinearity: Nonlinearity
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Maps) -> tuple[Filtered, Activations]:
        activations = {}
        for layer in self.layers:
            x = _convolve(activations, x, layer, self.nonlinearity, self.dtype)
        return x, activations


class _Inception(nn.Module):
    """Applies 1x1, 3x3 and 5x5 convolutions and a pooling in parallel, and concatenates their maps.

    1x1 convolutions reduce the channels of the larger filters' inputs. Szegedy et al., figure 2b.
    """

    channels: tuple[int, int, int, int, int, int]
    nonlinearity: Nonlinearity
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Maps) -> tuple[Filtered, Activations]:
        activations = {}

        def convolve(x, *layer):
            return _convolve(activations, x, (*layer, 1), self.nonlinearity, self.dtype)

        ones, threes_in, threes, fives_in, fives, pooled = self.channels
        branches = [convolve(x, "1x1", ones, 1)]
        branches.append(convolve(convolve(x, "3x3_reduce", threes_in, 1), "3x3", threes, 3))
        branches.append(convolve(convolve(x, "5x5_reduce", fives_in, 1), "5x5", fives, 5))
        activations["pool"] = x = max_pool(x, 3, 1, padding=1)
        branches.append(convolve(x, "pool_proj", pooled, 1))
        activations["output"] = x = jnp.concatenate(branches, axis=-1)
        return x, activations


class _Auxiliary(nn.Module):
    """Computes logits, the activation `classifier`, from maps inside the network."""

    num_classes: int
    hidden: int
    nonlinearity: Nonlinearity
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Maps, training: bool) -> Activations:
        activations = {}
        activations["ave_pool"] = x = mean_pool(x, 5, 3, ceil=True)
        x = _convolve(activations, x, ("conv", 128, 1, 1), self.nonlinearity, self.dtype)
        x = x.reshape(len(x), -1)
        settings = {"kernel_init": nn.initializers.he_normal(), "dtype": self.dtype}
        activations["fc"] = x = nn.Dense(self.hidden, name="fc", **settings)(x)
        activations["relu_fc"] = x = self.nonlinearity(x)
        x = nn.Dropout(0.7, deterministic=not training)(x)
        logits = nn.Dense(self.num_classes, name="classifier", **settings)(x)
        activations["classifier"] = logits.astype(jnp.float32)
        return activations


class _Classifier(nn.Module):
    num_classes: int
    dropout_rate: float
    dtype: DTypeLike

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch feature"], training: bool
    ) -> Float[Array, "batch class"]:
        x = nn.Dropout(self.dropout_rate, deterministic=not training)(x)
        return nn.Dense(self.num_classes, name="classifier", dtype=self.dtype)(x)


class GoogLeNet(nn.Module):
    """Computes logits (`loss3/classifier` in Caffe's model), and activations by name, from images.

    Images have a side of at least 31 pixels; the paper's have 224x224. `inception_3b/5x5_reduce` is
    taken before the nonlinearity, `inception_3b/relu_5x5_reduce` after it, and
    `inception_4c/output` is the concatenation.

    In training the activations include `loss1/classifier` and `loss2/classifier`, the logits of the
    auxiliary heads, whose losses have weight 0.3 (section 5). The heads have dense layers, so that
    all training images must have the size of the image of initialization.

    Attributes:
        num_classes: the number of classes; 0 means that there is no classifier and no auxiliary
            head. Logits then have shape (batch, 0).
        auxiliary: whether there are auxiliary heads.
        auxiliary_hidden: the number of units of the hidden layer of each auxiliary head.
        pool: the pooling function between modules, `max_pool` or `mean_pool` of `nn.pooling`;
            pooling within modules always takes the maximum.
        normalization: the function after the first pooling, and after the third convolution.
        dropout_rate: the rate of the dropout before the classifier, from 0 to 1; auxiliary heads
            have 0.7.
        nonlinearity: the function after each convolution and each hidden layer.
        dtype: the type in which the network computes; logits are float32.
    """

    num_classes: int = 1000
    auxiliary: bool = True
    auxiliary_hidden: int = 1024
    pool: Callable[..., Array] = max_pool
    normalization: Callable[[Array], Array] = caffe_local_response_norm
    dropout_rate: float = 0.4
    nonlinearity: Nonlinearity = nn.relu
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(
        self, images: Maps, training: bool = False
    ) -> tuple[Float[Array, "batch class"], Activations]:
        # Initialization creates the heads even in evaluation, so that the network can be trained.
        """Returns logits and the activations by name.

        Args:
            images: the images, preprocessed.
            training: whether the auxiliary heads are computed, and dropout draws from the rng
                `dropout`.

        Raises:
            ValueError: the image is too small for the auxiliary heads, in training.
        """
        with_heads = self.auxiliary and self.num_classes and (training or self.is_initializing())
        settings = {"nonlinearity": self.nonlinearity, "dtype": self.dtype}
        x, activations = self._stem(images)
        for module, channels in _MODULES.items():
            name = f"inception_{module}"
            x, inner = _Inception(channels, name=name, **settings)(x)
            activations |= _prefixed(name, inner)
            if with_heads and module in _AUXILIARY:
                name = _AUXILIARY[module]
                head = _Auxiliary(self.num_classes, self.auxiliary_hidden, name=name, **settings)
                activations |= _prefixed(name, head(x, training))
            if module in _LAST_BEFORE_POOLING:
                activations[_LAST_BEFORE_POOLING[module]] = x = self.pool(x, 3, 2, ceil=True)
        activations["pool5/7x7_s1"] = x = x.mean((1, 2))
        if self.num_classes == 0:
            return jnp.zeros((len(x), 0)), activations
        head = _Classifier(self.num_classes, self.dropout_rate, self.dtype, name="loss3")
        return head(x, training).astype(jnp.float32), activations

    def _stem(self, images: Maps) -> tuple[Filtered, Activations]:
        settings = {"nonlinearity": self.nonlinearity, "dtype": self.dtype}
        x, inner = _Convolutions((("7x7_s2", 64, 7, 2),), name="conv1", **settings)(images)
        activations = _prefixed("conv1", inner)
        activations["pool1/3x3_s2"] = x = self.pool(x, 3, 2, ceil=True)
        activations["pool1/norm1"] = x = self.normalization(x)
        layers = (("3x3_reduce", 64, 1, 1), ("3x3", 192, 3, 1))
        x, inner = _Convolutions(layers, name="conv2", **settings)(x)
        activations |= _prefixed("conv2", inner)
        activations["conv2/norm2"] = x = self.normalization(x)
        activations["pool2/3x3_s2"] = x = self.pool(x, 3, 2, ceil=True)
        return x, activations


def _convolve(
    activations: Activations,
    x: Maps,
    layer: tuple[str, int, int, int],
    nonlinearity: Nonlinearity,
    dtype: DTypeLike,
) -> Filtered:
    """Convolves by a submodule of the caller, and adds both its outputs to `activations`."""
    name, channels, size, stride = layer
    convolution = nn.Conv(
        channels,
        (size, size),
        stride,
        padding=size // 2,
        kernel_init=nn.initializers.he_normal(),
        dtype=dtype,
        name=name,
    )
    activations[name] = x = convolution(x)
    activations[f"relu_{name.removesuffix('_s2')}"] = x = nonlinearity(x)
    return x


def _prefixed(name: str, activations: Activations) -> Activations:
    return {f"{name}/{key}": value for key, value in activations.items()}
