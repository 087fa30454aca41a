"""Builds the residual networks for CIFAR, and their counterparts without shortcuts.

On a CPU a run may compute their convolutions by faster algorithms: see docs/cpu_convolutions.md.

He et al., "Deep residual learning for image recognition", 2015, section 4.2.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike

from lecture_models.models.resnet import CIFAR_STEM, ResNet


def cifar_resnet(
    depth: int = 20,
    num_classes: int = 10,
    widths: tuple[int, int, int] = (16, 32, 64),
    residual: bool = True,
    projection: bool = False,
    preactivation: bool = False,
    final_survival: float = 1.0,
    skip: bool = False,
    nonlinearity: Callable[[jax.Array], jax.Array] = nn.relu,
    dtype: DTypeLike = jnp.float32,
) -> ResNet:
    """Returns a network of 6n + 2 layers: a 3x3 convolution, three stages of n blocks, and logits.

    Each block has two layers; the stages have sides of 32, 16 and 8 pixels. With 16, 32 and 64
    channels and 10 classes, depths 20, 32, 44, 56, 110 and 1202 have 269,722, 464,154, 658,586,
    853,018, 1,727,962 and 19,421,274 parameters.

    Args:
        depth: the number of layers, 6n + 2 with n at least 1.
        num_classes: the number of classes; 0 for no classifier.
        widths: the channels of each stage.
        residual: whether blocks have shortcuts. Without them, and with shortcuts of option A, the
            network has the same parameters.
        projection: whether shortcuts that change the shape are 1x1 convolutions (option B);
            otherwise they have no parameters (option A).
        preactivation: whether normalization and nonlinearity precede each convolution.
        final_survival: the probability of the last block to take part in a training step.
        skip: whether dropped blocks are not computed, as described at `nn.residual.ResidualBlock`.
        nonlinearity: the function after each normalization.
        dtype: the type in which layers compute.

    Returns:
        The linen module. He et al., 2015, section 4.2 and Table 6.

    Raises:
        ValueError: the depth is not 6n + 2, or `ResNet` rejects the other arguments.
    """
    num_blocks, rest = divmod(depth - 2, 6)
    if rest or num_blocks < 1:
        raise ValueError(f"depth is {depth}; it must be 6n + 2 with n at least 1, such as 20 or 56")
    return ResNet(
        stages=(num_blocks,) * 3,
        widths=widths,
        stem=CIFAR_STEM,
        num_classes=num_classes,
        residual=residual,
        projection=projection,
        preactivation=preactivation,
        final_survival=final_survival,
        skip=skip,
        nonlinearity=nonlinearity,
        dtype=dtype,
    )
