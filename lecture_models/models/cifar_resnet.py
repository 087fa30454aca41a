"""The residual networks for CIFAR, and their plain twins.

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
    """6n + 2 layers: a 3x3 convolution, three stages of n blocks of two, and logits.

    Sides 32, 16, 8 and `widths` channels; option A, so that the plain twin (`residual` False) has
    the same parameters. With 16, 32, 64 channels and 10 classes depths 20, 32, 44, 56, 110 and 1202
    have 269,722, 464,154, 658,586, 853,018, 1,727,962 and 19,421,274. The fields are those of
    `models.resnet.ResNet`.

    Raises ValueError where the depth is not 6n + 2, and where `ResNet` does.
    """
    num_blocks, rest = divmod(depth - 2, 6)
    if rest or num_blocks < 1:
        raise ValueError(f"depth is {depth}; allowed: 6n + 2 with n at least 1, such as 20 or 56")
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
