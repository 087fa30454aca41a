"""Residual networks and their plain twins, for ImageNet by default.

He et al., "Deep residual learning for image recognition", 2015, section 3.3 and Table 1.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from lecture_models.nn.batch_norm import batch_norm
from lecture_models.nn.classifier_head import linear_classifier
from lecture_models.nn.pooling import max_pool
from lecture_models.nn.residual import (
    Layer,
    ResidualBlock,
    basic,
    bottleneck,
    bottleneck_strided_3x3,
    convolve,
)
from lecture_models.nn.stochastic_depth import linear_decay, sample_depth


class Stem(NamedTuple):
    """The first convolution, and a 3x3 maximum of stride 2 after it or none."""

    window: int
    stride: int
    pools: bool


IMAGENET_STEM = Stem(
    window=7, stride=2, pools=True
)  # 224x224 to 56x56: Table 1, conv1 and conv2_x.
CIFAR_STEM = Stem(window=3, stride=1, pools=False)  # 32x32 stays: section 4.2.


class ResNet(nn.Module):
    """A stem, stages of blocks that halve the side and widen, a global mean, and logits.

    Activations: `conv1` (before its normalization), `relu1`, `pool1` where the stem pools,
    `block1_1` ... by stage and place, `relu_last` with pre-activation, `pool` (the means).

    With `final_survival` p_L below 1 a whole mini-batch drops block l with chance (l/L)(1 - p_L),
    drawn from the rng `structure` in training; see `nn.residual.ResidualBlock` for `residual`,
    `projection`, `preactivation`, `skip`.

    Raises ValueError where stages and widths differ in number, where `final_survival` is not in
    (0, 1], and where blocks without shortcuts would be dropped or projected around.
    """

    stages: tuple[int, ...]  # Blocks in each.
    branch: Callable[[int, int], tuple[Layer, ...]] = basic  # Of a width and a stride.
    widths: tuple[int, ...] = (64, 128, 256, 512)
    stem: Stem = IMAGENET_STEM
    num_classes: int = 1000
    residual: bool = True
    projection: bool = True  # Option B; without it option A.
    preactivation: bool = False
    final_survival: float = 1.0
    skip: bool = False
    nonlinearity: Callable[[jax.Array], jax.Array] = nn.relu
    dtype: DTypeLike = jnp.float32

    def __post_init__(self):
        super().__post_init__()
        if len(self.stages) != len(self.widths) or min(self.stages) < 1:
            raise ValueError(
                f"stages {self.stages} and widths {self.widths}: as many of one as of the other, "
                "and at least one block in each"
            )
        self.survival  # noqa: B018  Refuses now what it would refuse in the first call.
        if not self.residual and (self.projection or self.final_survival < 1.0):
            raise ValueError(
                f"residual is False, projection {self.projection}, final_survival "
                f"{self.final_survival}: a plain network has no shortcuts to project or to drop to"
            )

    @property
    def survival(self) -> tuple[float, ...]:
        """The chance of each block to take part in a training step, from the first on."""
        return linear_decay(sum(self.stages), self.final_survival)

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width channel"], training: bool = False
    ) -> tuple[Float[Array, "batch class"], dict[str, Float[Array, "batch ..."]]]:
        activations = {}
        first = Layer(self.widths[0], self.stem.window, self.stem.stride)
        activations["conv1"] = x = convolve(images, first, self.dtype, "conv1")
        x = self.nonlinearity(batch_norm(x, training, "bn1", dtype=self.dtype))
        activations["relu1"] = x
        if self.stem.pools:
            activations["pool1"] = x = max_pool(x, window=3, stride=2, padding=1)

        drops = training and self.final_survival < 1.0 and not self.is_initializing()
        keep = sample_depth(self.make_rng("structure"), self.survival) if drops else None
        for index, (name, block) in enumerate(self._blocks()):
            x = block(x, training, None if keep is None else keep[index])
            activations[name] = x

        if self.preactivation:
            x = self.nonlinearity(batch_norm(x, training, "bn_last", dtype=self.dtype))
            activations["relu_last"] = x
        activations["pool"] = x = x.mean((1, 2))
        return linear_classifier(x, self.num_classes, self.dtype), activations

    def _blocks(self) -> list[tuple[str, ResidualBlock]]:
        blocks = []
        for stage, (count, width) in enumerate(zip(self.stages, self.widths, strict=True), 1):
            for place in range(1, count + 1):
                name = f"block{stage}_{place}"
                block = ResidualBlock(
                    self.branch(width, 2 if stage > 1 and place == 1 else 1),
                    residual=self.residual,
                    projection=self.projection,
                    preactivation=self.preactivation,
                    activated=not blocks,
                    survival=self.survival[len(blocks)],
                    skip=self.skip,
                    nonlinearity=self.nonlinearity,
                    dtype=self.dtype,
                    name=name,
                )
                blocks.append((name, block))
        return blocks


# Table 1 of the paper, by columns.
PLAIN_18 = functools.partial(ResNet, stages=(2, 2, 2, 2), residual=False, projection=False)
PLAIN_34 = functools.partial(ResNet, stages=(3, 4, 6, 3), residual=False, projection=False)
RESNET_18 = functools.partial(ResNet, stages=(2, 2, 2, 2))
RESNET_34 = functools.partial(ResNet, stages=(3, 4, 6, 3))
RESNET_50 = functools.partial(ResNet, stages=(3, 4, 6, 3), branch=bottleneck)
RESNET_101 = functools.partial(ResNet, stages=(3, 4, 23, 3), branch=bottleneck)
RESNET_152 = functools.partial(ResNet, stages=(3, 8, 36, 3), branch=bottleneck)
# Not the paper's: as most public weights have it.
RESNET_50_STRIDED_3X3 = functools.partial(RESNET_50, branch=bottleneck_strided_3x3)
