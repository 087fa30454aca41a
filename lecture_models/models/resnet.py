"""Defines residual networks and their plain counterparts, for ImageNet by default.

On a CPU a run may compute these convolutions by faster algorithms: see docs/cpu_convolutions.md.

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
    BiasFreeConv,
    ResidualBlock,
    basic,
    bottleneck,
    bottleneck_strided_3x3,
    convolve,
)
from lecture_models.nn.stochastic_depth import linear_decay, sample_depth


class Stem(NamedTuple):
    """Describes the layers before the first block.

    Attributes:
        window: the side of the first convolution's filters in pixels.
        stride: the stride of the first convolution in pixels.
        pools: whether a 3x3 maximum pooling of stride 2 follows.
    """

    window: int
    stride: int
    pools: bool


# Table 1, conv1 and conv2_x: takes 224x224 to 56x56.
IMAGENET_STEM = Stem(window=7, stride=2, pools=True)
# Section 4.2: keeps 32x32.
CIFAR_STEM = Stem(window=3, stride=1, pools=False)


class ResNet(nn.Module):
    """Computes logits, and activations by name, from images.

    A stem is followed by stages of residual blocks, a global mean, and a linear classifier. Each
    stage but the first halves the side.

    Names of activations: `conv1` (before its normalization), `relu1`, `pool1` if the stem pools,
    `block1_1`, ... (stage and place in the stage), `relu_last` with pre-activation, and `pool` (the
    global mean).

    With stochastic depth a whole mini-batch drops block l of L with probability
    (l / L)(1 - final_survival) in training (Huang et al., "Deep networks with stochastic depth",
    2016, equation 4).

    Attributes:
        stages: the number of blocks of each stage, at least 1.
        branch: a function of the width and the stride of a block, which returns the convolutions of
            its branch; see `nn.residual`.
        widths: the width of the blocks of each stage, in channels.
        stem: the layers before the first block.
        num_classes: the number of classes; 0 means that there is no classifier. Logits then have
            shape (batch, 0).
        residual: whether blocks have shortcuts; without them the network is the plain one.
        projection: whether a shortcut that changes the shape is a 1x1 convolution (option B);
            otherwise it has no parameters (option A).
        preactivation: whether normalization and nonlinearity precede each convolution of a block.
        final_survival: the probability that a training step keeps the last block, in (0, 1]; 1
            means that no block is dropped.
        skip: whether a dropped branch is not computed; see `nn.residual.ResidualBlock`.
        nonlinearity: the function after each normalization.
        dtype: the type in which the network computes; logits are float32.

    Raises:
        ValueError: `stages` and `widths` differ in length, `final_survival` is not in (0, 1], or a
            network without shortcuts has projections or drops blocks.
    """

    stages: tuple[int, ...]
    branch: Callable[[int, int], tuple[BiasFreeConv, ...]] = basic
    widths: tuple[int, ...] = (64, 128, 256, 512)
    stem: Stem = IMAGENET_STEM
    num_classes: int = 1000
    residual: bool = True
    projection: bool = True
    preactivation: bool = False
    final_survival: float = 1.0
    skip: bool = False
    nonlinearity: Callable[[jax.Array], jax.Array] = nn.relu
    dtype: DTypeLike = jnp.float32

    def __post_init__(self):
        super().__post_init__()
        if len(self.stages) != len(self.widths) or min(self.stages) < 1:
            raise ValueError(
                f"stages is {self.stages} and widths is {self.widths}; they must have the same "
                "length, and each stage at least one block"
            )
        self.survival  # noqa: B018  Raises now rather than in the first call.
        if not self.residual and (self.projection or self.final_survival < 1.0):
            raise ValueError(
                f"residual is False, projection {self.projection} and final_survival "
                f"{self.final_survival}; without shortcuts they must be False and 1.0"
            )

    @property
    def survival(self) -> tuple[float, ...]:
        """Returns the probability that a training step keeps each block, in order."""
        return linear_decay(sum(self.stages), self.final_survival)

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width channel"], training: bool = False
    ) -> tuple[Float[Array, "batch class"], dict[str, Float[Array, "batch ..."]]]:
        """Returns logits and the activations by name.

        Args:
            images: the images, preprocessed.
            training: whether the batch's own moments are used and running statistics updated.
                Blocks are then dropped by the rng `structure`, if `final_survival` is below 1.
        """
        activations = {}
        first = BiasFreeConv(self.widths[0], self.stem.window, self.stem.stride)
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


# The columns of Table 1.
PLAIN_18 = functools.partial(ResNet, stages=(2, 2, 2, 2), residual=False, projection=False)
PLAIN_34 = functools.partial(ResNet, stages=(3, 4, 6, 3), residual=False, projection=False)
RESNET_18 = functools.partial(ResNet, stages=(2, 2, 2, 2))
RESNET_34 = functools.partial(ResNet, stages=(3, 4, 6, 3))
RESNET_50 = functools.partial(ResNet, stages=(3, 4, 6, 3), branch=bottleneck)
RESNET_101 = functools.partial(ResNet, stages=(3, 4, 23, 3), branch=bottleneck)
RESNET_152 = functools.partial(ResNet, stages=(3, 8, 36, 3), branch=bottleneck)
# Not in the paper; most public weights have this form.
RESNET_50_STRIDED_3X3 = functools.partial(RESNET_50, branch=bottleneck_strided_3x3)
