"""Defines residual blocks, with or without shortcuts, that stochastic depth may drop.

On a CPU a run may compute these convolutions by faster algorithms: see docs/cpu_convolutions.md.

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


class BiasFreeConv(NamedTuple):
    """Describes a convolution without a bias, padded so that only its stride changes the side.

    Attributes:
        features: the number of output channels.
        window: the filter's side in pixels, odd.
        stride: the step between positions in pixels.
    """

    features: int
    window: int
    stride: int = 1


def basic(width: int, stride: int) -> tuple[BiasFreeConv, ...]:
    """Returns the branch of a basic block, which has two 3x3 convolutions.

    Args:
        width: the channels of both.
        stride: the stride of the first.

    Returns:
        The convolutions in order. He et al., 2015, figure 5, left.
    """
    return (BiasFreeConv(width, 3, stride), BiasFreeConv(width, 3))


def bottleneck(width: int, stride: int) -> tuple[BiasFreeConv, ...]:
    """Returns the branch of a bottleneck block: 1x1, 3x3, and 1x1 to four times the width.

    Args:
        width: the channels of the first two.
        stride: the stride of the first.

    Returns:
        The convolutions in order. He et al., 2015, figure 5, right.
    """
    return (BiasFreeConv(width, 1, stride), BiasFreeConv(width, 3), BiasFreeConv(4 * width, 1))


def bottleneck_strided_3x3(width: int, stride: int) -> tuple[BiasFreeConv, ...]:
    """Returns the branch of a bottleneck block whose 3x3 convolution has the stride.

    Most public weights of ResNet-50 are for this form; the paper's is `bottleneck`.

    Args:
        width: the channels of the first two.
        stride: the stride of the second.

    Returns:
        The convolutions in order.
    """
    return (BiasFreeConv(width, 1), BiasFreeConv(width, 3, stride), BiasFreeConv(4 * width, 1))


def convolve(x: Maps, layer: BiasFreeConv, dtype: DTypeLike, name: str) -> NewMaps:
    """Convolves by a submodule of the linen module that calls this function.

    It must be called within a compact method.

    Args:
        x: the input maps.
        layer: the convolution.
        dtype: the type in which it computes.
        name: the submodule's name.

    Returns:
        The convolved maps.
    """
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
    """Returns the shortcut without parameters (option A).

    It keeps every `stride`-th pixel, and fills new channels with zeros.

    Args:
        x: the input of the block.
        features: the channels of the block's output, at least those of `x`.
        stride: the stride of the block.

    Returns:
        Maps of the shape of the block's output. He et al., 2015, section 3.3.

    Raises:
        ValueError: the block has fewer channels than its input.
    """
    missing = features - x.shape[-1]
    if missing < 0:
        raise ValueError(
            f"the input has {x.shape[-1]} channels and the block {features}; a shortcut without "
            "parameters can only add channels"
        )
    return jnp.pad(x[:, ::stride, ::stride], ((0, 0), (0, 0), (0, 0), (0, missing)))


class ResidualBlock(nn.Module):
    """Computes a residual block.

    y = nonlinearity(F(x) + shortcut(x)), or y = F(x) + shortcut(x) with pre-activation

    F is the branch of `layers`, each with batch normalization. In training F can be dropped: it
    then adds 0, and its running statistics do not change. In evaluation F is scaled by `survival`
    (Huang et al., 2016, equation 5).

    Attributes:
        layers: the convolutions of the branch F.
        residual: whether there is a shortcut; without one the block is plain,
            y = nonlinearity(F(x)).
        projection: whether a shortcut that changes the shape is a 1x1 convolution (option B);
            otherwise it is `pad_shortcut` (option A).
        preactivation: whether normalization and nonlinearity precede each convolution (He et al.,
            2016, figure 1b).
        activated: whether the input of a pre-activation block is normalized and rectified already.
        survival: the probability of F to take part in a training step.
        skip: whether a dropped branch is not computed (`lax.cond`), which is faster on an
            accelerator and much slower on a CPU; otherwise it is computed and masked.
        nonlinearity: the function after each normalization.
        dtype: the type in which the block computes.
    """

    layers: tuple[BiasFreeConv, ...]
    residual: bool = True
    projection: bool = False
    preactivation: bool = False
    activated: bool = False
    survival: float = 1.0
    skip: bool = False
    nonlinearity: Callable[[jax.Array], jax.Array] = nn.relu
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(
        self, x: Maps, training: bool = False, keep: Bool[Array, ""] | None = None
    ) -> NewMaps:
        """Returns the block's output.

        Args:
            x: the input maps.
            training: whether the batch's own moments are used and running statistics updated.
            keep: whether the branch F takes part in this training step; None means that it does.
        """
        features = self.layers[-1].features
        stride = math.prod(layer.stride for layer in self.layers)
        projects = self.residual and self.projection and (features, 1) != (x.shape[-1], stride)
        activated = self.activated
        if projects and self.preactivation and not activated:
            # A projection and the first layer have the same input, after one activation.
            x, activated = self.nonlinearity(batch_norm(x, training, "bn1", None, self.dtype)), True
        y = self._gated_branch(x, training, activated, keep)
        if self.survival < 1.0 and not training:
            y = y * self.survival
        if projects:
            x = convolve(x, BiasFreeConv(features, 1, stride), self.dtype, "shortcut_conv")
            if not self.preactivation:
                x = batch_norm(x, training, "shortcut_bn", None, self.dtype)
            y = y + x
        elif self.residual:
            y = y + pad_shortcut(x, features, stride).astype(y.dtype)
        return y if self.preactivation else self.nonlinearity(y)

    def _gated_branch(
        self, x: Maps, training: bool, activated: bool, keep: Bool[Array, ""] | None
    ) -> NewMaps:
        """Computes F(x), or 0 if it is dropped."""
        # Initialization creates all parameters, even of branches that are dropped later.
        if keep is None or self.is_initializing():
            return self._branch(x, training, activated, None)
        if not self.skip:
            y = self._branch(x, training, activated, keep)
            return y * keep.astype(y.dtype)
        kept = functools.partial(ResidualBlock._branch, training=training, activated=activated)
        return nn.cond(keep, kept, lambda block, x: block._zeros(x), self, x)

    def _zeros(self, x: Maps) -> NewMaps:
        """Returns a dropped branch, zeros of the shape of the last layer's output."""
        stride = math.prod(layer.stride for layer in self.layers)
        shape = (*x[:, ::stride, ::stride].shape[:3], self.layers[-1].features)
        return jnp.zeros(shape, self.dtype)

    def _branch(
        self,
        x: Maps,
        training: bool,
        activated: bool,
        update_statistics: Bool[Array, ""] | None = None,
    ) -> NewMaps:
        normalize = functools.partial(
            batch_norm, training=training, update_statistics=update_statistics, dtype=self.dtype
        )
        for index, layer in enumerate(self.layers, 1):
            if self.preactivation and (index > 1 or not activated):
                x = normalize(x, name=f"bn{index}")
                x = self.nonlinearity(x)
            x = convolve(x, layer, self.dtype, f"conv{index}")
            if not self.preactivation:
                x = normalize(x, name=f"bn{index}")
                x = self.nonlinearity(x) if index < len(self.layers) else x
        return x
