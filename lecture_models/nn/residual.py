"""Residual blocks, plain or with shortcuts, that stochastic depth may drop.

He et al., "Deep residual learning for image recognition", 2015, section 3; He et al., "Identity
mappings in deep residual networks", 2016; Huang et al., "Deep networks with stochastic depth",
2016.
"""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Float

from lecture_models.nn.batch_norm import batch_norm

Maps = Float[Array, "batch height width channel"]
NewMaps = Float[Array, "batch new_height new_width new_channel"]


class Layer(NamedTuple):
    """A convolution without a bias, padded so that only its stride changes the side."""

    features: int
    window: int
    stride: int = 1


def basic(width: int, stride: int) -> tuple[Layer, ...]:
    """Two 3x3 layers: He et al., 2015, figure 5, left."""
    return (Layer(width, 3, stride), Layer(width, 3))


def bottleneck(width: int, stride: int) -> tuple[Layer, ...]:
    """1x1, 3x3, and 1x1 to four times the width: figure 5, right. The first takes the stride."""
    return (Layer(width, 1, stride), Layer(width, 3), Layer(4 * width, 1))


def bottleneck_strided_3x3(width: int, stride: int) -> tuple[Layer, ...]:
    """`bottleneck` with the stride in its 3x3, as most public weights of ResNet-50 have it."""
    return (Layer(width, 1), Layer(width, 3, stride), Layer(4 * width, 1))


def convolve(x: Maps, layer: Layer, dtype: DTypeLike, name: str) -> NewMaps:
    """A bias-free convolution, a submodule `name` of the module that calls."""
    return nn.Conv(
        layer.features,
        (layer.window, layer.window),
        layer.stride,
        padding=layer.window // 2,
        use_bias=False,
        kernel_init=nn.initializers.he_normal(),
        dtype=dtype,
        name=name,
    )(x)


def pad_shortcut(x: Maps, features: int, stride: int) -> NewMaps:
    """Option A: every `stride`-th pixel, and zeros for the channels that are new; no parameter.

    Raises ValueError where the block has fewer channels than its input.
    """
    missing = features - x.shape[-1]
    if missing < 0:
        raise ValueError(
            f"the input has {x.shape[-1]} channels and the block {features}: a shortcut without "
            "parameters can only add channels"
        )
    return jnp.pad(x[:, ::stride, ::stride], ((0, 0), (0, 0), (0, 0), (0, missing)))


class ResidualBlock(nn.Module):
    """y = nonlinearity(F(x) + shortcut(x)), or F(x) + shortcut(x) with pre-activation.

    F is `layers`, each with batch normalization. A shortcut that changes shape is option A, or with
    `projection` option B, a 1x1 convolution. With `residual` False there is none: the plain twin.

    In training `keep` says whether F takes part: dropped, it adds 0 and its running statistics do
    not move. It is computed and masked, or with `skip` not computed (`lax.cond`): slower by far on
    a CPU, faster on an accelerator. Evaluation scales F by `survival`: Huang et al., equation 5.
    """

    layers: tuple[Layer, ...]
    residual: bool = True
    projection: bool = False
    preactivation: bool = False
    activated: bool = False  # The input of a pre-activation block is normalized and rectified.
    survival: float = 1.0
    skip: bool = False
    nonlinearity: Callable[[jax.Array], jax.Array] = nn.relu
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(
        self, x: Maps, training: bool = False, keep: Bool[Array, ""] | None = None
    ) -> NewMaps:
        features, stride = self.layers[-1].features, math.prod(each.stride for each in self.layers)
        projects = self.residual and self.projection and (features, 1) != (x.shape[-1], stride)
        activated = self.activated
        if projects and self.preactivation and not activated:
            # A projection sees what the first layer sees: both follow one activation.
            x, activated = self.nonlinearity(batch_norm(x, training, "bn1", None, self.dtype)), True
        y = self._gated_branch(x, training, activated, keep)
        if self.survival < 1.0 and not training:
            y = y * self.survival
        if projects:
            x = convolve(x, Layer(features, 1, stride), self.dtype, "shortcut_conv")
            if not self.preactivation:
                x = batch_norm(x, training, "shortcut_bn", None, self.dtype)
            y = y + x
        elif self.residual:
            y = y + pad_shortcut(x, features, stride).astype(y.dtype)
        return y if self.preactivation else self.nonlinearity(y)

    def _gated_branch(
        self, x: Maps, training: bool, activated: bool, keep: Bool[Array, ""] | None
    ) -> NewMaps:
        """F(x) where it is kept, else 0."""
        # Parameters are made whole, whatever is dropped later.
        if keep is None or self.is_initializing():
            return self._branch(x, training, activated, None)
        if not self.skip:
            y = self._branch(x, training, activated, keep)
            return y * keep.astype(y.dtype)
        kept = functools.partial(ResidualBlock._branch, training=training, activated=activated)
        return nn.cond(keep, kept, lambda block, x: block._zeros(x), self, x)

    def _zeros(self, x: Maps) -> NewMaps:
        """A dropped branch: shaped as its last layer."""
        stride = math.prod(layer.stride for layer in self.layers)
        shape = (*x[:, ::stride, ::stride].shape[:3], self.layers[-1].features)
        return jnp.zeros(shape, self.dtype)

    def _branch(
        self, x: Maps, training: bool, activated: bool, moves: Bool[Array, ""] | None = None
    ) -> NewMaps:
        for index, layer in enumerate(self.layers, 1):
            if self.preactivation and (index > 1 or not activated):
                x = self.nonlinearity(batch_norm(x, training, f"bn{index}", moves, self.dtype))
            x = convolve(x, layer, self.dtype, f"conv{index}")
            if not self.preactivation:
                x = batch_norm(x, training, f"bn{index}", moves, self.dtype)
                x = self.nonlinearity(x) if index < len(self.layers) else x
        return x
