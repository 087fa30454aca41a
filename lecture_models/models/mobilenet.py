"""Defines MobileNetV2: inverted residual blocks of depthwise convolutions.

Batch normalization is a layer of its own, or folded into the convolutions.

Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", 2018, Table 2.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, DTypeLike, Float

Maps = Float[Array, "batch height width channel"]
Filtered = Float[Array, "batch new_height new_width new_channel"]
Activations = dict[str, Float[Array, "batch ..."]]

_EPSILON = 1e-5

# Table 2: expansion factor, output channels, number of blocks, stride of the first block.
_BOTTLENECKS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


class _Convolution(nn.Module):
    """Convolves and applies batch normalization, or, if that is folded, adds a bias."""

    channels: int
    filter: int
    stride: int
    depthwise: bool
    folded: bool
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Maps, training: bool) -> Filtered:
        x = nn.Conv(
            self.channels,
            (self.filter, self.filter),
            self.stride,
            padding="SAME",  # As in TensorFlow: at stride 2 an even side is padded at its end only.
            feature_group_count=self.channels if self.depthwise else 1,
            use_bias=self.folded,
            kernel_init=nn.initializers.he_normal(),
            dtype=self.dtype,
            name="conv",
        )(x)
        if self.folded:
            return x
        return nn.BatchNorm(
            not training, momentum=0.9, epsilon=_EPSILON, dtype=self.dtype, name="norm"
        )(x)


class _Block(nn.Module):
    """Expands channels by 1x1, filters each by 3x3, and projects linearly to fewer by 1x1.

    It adds the input if that has the shape of the output.
    """

    expansion: int
    channels: int
    stride: int
    folded: bool
    nonlinearity: Callable[[Array], Array]
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Maps, training: bool) -> tuple[Filtered, Activations]:
        activations, shortcut = {}, x
        inner = self.expansion * x.shape[-1]

        def convolve(x, name, channels, filter=1, stride=1, depthwise=False):
            shape = (channels, filter, stride, depthwise)
            activations[name] = _Convolution(*shape, self.folded, self.dtype, name=name)(
                x, training
            )
            return activations[name]

        if self.expansion > 1:
            x = self.nonlinearity(convolve(x, "expand", inner))
            activations["relu_expand"] = x
        x = self.nonlinearity(convolve(x, "depthwise", inner, 3, self.stride, True))
        activations["relu_depthwise"] = x
        x = convolve(x, "project", self.channels)
        if x.shape == shortcut.shape:
            x = x + shortcut
        activations["output"] = x
        return x, activations


class MobileNetV2(nn.Module):
    """Computes logits, and activations by name, from images of any size (224x224 in the paper).

    Names of activations: `conv1` (after batch normalization, before the nonlinearity),
    `relu_conv1`, `block2/expand`, `block2/relu_expand`, `block2/depthwise`,
    `block2/relu_depthwise`, `block2/project`, `block2/output`, ..., `conv2`, `relu_conv2`, and
    `pool` (the global mean). `block1` does not expand.

    Attributes:
        num_classes: the number of classes; 0 means that there is no classifier. Logits then have
            shape (batch, 0).
        folded: whether convolutions have a bias in place of batch normalization; `fold_batch_norm`
            computes the parameters of this form.
        dropout_rate: the rate of the dropout before the classifier, from 0 to 1.
        nonlinearity: the function after each convolution but the projections.
        dtype: the type in which the network computes; logits are float32.
    """

    num_classes: int = 1000
    folded: bool = False
    dropout_rate: float = 0.2
    nonlinearity: Callable[[Array], Array] = nn.relu6
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(
        self, images: Maps, training: bool = False
    ) -> tuple[Float[Array, "batch class"], Activations]:
        """Returns logits and the activations by name.

        Args:
            images: the images, preprocessed.
            training: whether dropout draws from the rng `dropout`, and batch normalization uses the
                batch's own moments and updates `batch_stats`.
        """
        form = (self.folded, self.dtype)
        activations = {}
        convolution = _Convolution(32, 3, 2, False, *form, name="conv1")
        activations["conv1"] = x = convolution(images, training)
        activations["relu_conv1"] = x = self.nonlinearity(x)
        blocks = [
            (expansion, channels, stride if block == 0 else 1)
            for expansion, channels, count, stride in _BOTTLENECKS
            for block in range(count)
        ]
        for index, (expansion, channels, stride) in enumerate(blocks, start=1):
            name = f"block{index}"
            block = _Block(
                expansion, channels, stride, self.folded, self.nonlinearity, self.dtype, name=name
            )
            x, inner = block(x, training)
            activations |= {f"{name}/{key}": value for key, value in inner.items()}
        convolution = _Convolution(1280, 1, 1, False, *form, name="conv2")
        activations["conv2"] = x = convolution(x, training)
        activations["relu_conv2"] = x = self.nonlinearity(x)
        activations["pool"] = x = x.mean((1, 2))
        if self.num_classes == 0:
            return jnp.zeros((len(x), 0)), activations
        x = nn.Dropout(self.dropout_rate, deterministic=not training)(x)
        logits = nn.Dense(self.num_classes, dtype=self.dtype, name="classifier")(x)
        return logits.astype(jnp.float32), activations


def fold_batch_norm(params: dict[str, Any], batch_stats: dict[str, Any]) -> dict[str, Any]:
    """Folds batch normalization, as in evaluation, into the convolutions before it.

    kernel' = kernel * gamma / sqrt(variance + epsilon),
    bias' = beta - mean * gamma / sqrt(variance + epsilon)

    Args:
        params: the parameters of a MobileNetV2 that is not folded.
        batch_stats: its running means and variances.

    Returns:
        The parameters of the folded network, which computes the same function.
    """
    if "norm" not in params:
        return {
            name: fold_batch_norm(value, batch_stats.get(name, {}))
            if isinstance(value, dict)
            else value
            for name, value in params.items()
        }
    norm, statistics = params["norm"], batch_stats["norm"]
    gain = norm["scale"] / jnp.sqrt(statistics["var"] + _EPSILON)
    kernel = params["conv"]["kernel"]
    return {
        "conv": {
            "kernel": kernel * gain.reshape(1, 1, 1, -1),
            "bias": norm["bias"] - statistics["mean"] * gain,
        }
    }
