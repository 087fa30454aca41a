"""Defines the all-convolutional net, and the nets with pooling from which it is derived.

Springenberg et al., "Striving for simplicity: the all convolutional net", 2015, section 3.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from lecture_models.nn.convolution_stack import Conv, Pool, mean_scores, run_stack

Stage = tuple[Conv, ...]
Layers = tuple[Conv | Pool, ...]

# The columns of Table 1. The side is halved after each stage but the last, which ends with a
# convolution that has one output channel per class.
_LAST = (Conv(192, 3, padded=False), Conv(192, 1), Conv(0, 1))
BASE_A = ((Conv(96, 5),), (Conv(192, 5),), _LAST)
BASE_B = ((Conv(96, 5), Conv(96, 1)), (Conv(192, 5), Conv(192, 1)), _LAST)
BASE_C = ((Conv(96, 3), Conv(96, 3)), (Conv(192, 3), Conv(192, 3)), _LAST)


def _between(stages: tuple[Stage, ...], close: Callable[[Stage], Layers]) -> Layers:
    """Returns the layers of all stages, after applying `close` to each stage but the last."""
    *inner, last = stages
    return (*(layer for stage in inner for layer in close(stage)), *last)


def pooled(stages: tuple[Stage, ...]) -> Layers:
    """Returns the layers of a base model: 3x3 maximum pooling of stride 2 between stages.

    Args:
        stages: the convolutions of each stage, such as `BASE_C`.

    Returns:
        The layers for `AllConvolutional`. Springenberg et al., 2015, Table 1.
    """
    return _between(stages, lambda stage: (*stage, Pool()))


def strided(stages: tuple[Stage, ...]) -> Layers:
    """Returns the layers of Strided-CNN: each convolution before a pooling takes its stride.

    Args:
        stages: the convolutions of each stage, such as `BASE_C`.

    Returns:
        The layers for `AllConvolutional`. Springenberg et al., 2015, Table 2.
    """
    return _between(stages, lambda stage: (*stage[:-1], stage[-1]._replace(stride=2)))


def convolved_and_pooled(stages: tuple[Stage, ...]) -> Layers:
    """Returns the layers of ConvPool-CNN: one more 3x3 convolution before each pooling.

    Args:
        stages: the convolutions of each stage, such as `BASE_C`.

    Returns:
        The layers for `AllConvolutional`. Springenberg et al., 2015, Table 2.
    """
    return _between(stages, lambda stage: (*stage, Conv(stage[-1].features, 3), Pool()))


def all_convolutional(stages: tuple[Stage, ...]) -> Layers:
    """Returns the layers of All-CNN: a 3x3 convolution of stride 2 replaces each pooling.

    Args:
        stages: the convolutions of each stage, such as `BASE_C`.

    Returns:
        The layers for `AllConvolutional`. Springenberg et al., 2015, Table 2.
    """
    return _between(stages, lambda stage: (*stage, Conv(stage[-1].features, 3, stride=2)))


class AllConvolutional(nn.Module):
    """Maps images to logits by convolutions only: logits are the means of one map per class.

    Springenberg et al., 2015, section 3.

    Activations: `conv1` (before the nonlinearity), `relu1`, ..., and `pool1`, ... in nets with
    pooling.

    Attributes:
        layers: the convolutions and poolings, as from `all_convolutional`.
        num_classes: the number of classes. With 0 the convolution of the classes is skipped, and
            logits have shape (batch, 0).
        input_dropout: the rate of dropout on the images, from 0 to 1.
        dropout: the rate of dropout after each layer that halves the side, from 0 to 1.
        rectified_scores: whether the nonlinearity also follows the last convolution, whose maps are
            6x6 for images of 32x32, as in Table 1.
        nonlinearity: the function after each convolution.
        dtype: the type in which layers compute.
    """

    layers: Layers = all_convolutional(BASE_C)
    num_classes: int = 10
    input_dropout: float = 0.2
    dropout: float = 0.5
    rectified_scores: bool = True
    nonlinearity: Callable[[jax.Array], jax.Array] = nn.relu
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width channel"], training: bool = False
    ) -> tuple[Float[Array, "batch class"], dict[str, Float[Array, "batch ..."]]]:
        """Returns the logits and the activations.

        Args:
            images: the images, preprocessed.
            training: whether dropout is active; it then draws from the rng `dropout`.
        """
        x, activations = run_stack(
            self.layers,
            nn.Dropout(self.input_dropout, deterministic=not training)(images),
            self.num_classes,
            self.nonlinearity,
            self.dropout,
            training,
            self.dtype,
            self.rectified_scores,
        )
        return mean_scores(x, self.num_classes), activations


BASE_CNN_C = functools.partial(AllConvolutional, layers=pooled(BASE_C))
STRIDED_CNN_C = functools.partial(AllConvolutional, layers=strided(BASE_C))
CONV_POOL_CNN_C = functools.partial(AllConvolutional, layers=convolved_and_pooled(BASE_C))
ALL_CNN_A = functools.partial(AllConvolutional, layers=all_convolutional(BASE_A))
ALL_CNN_B = functools.partial(AllConvolutional, layers=all_convolutional(BASE_B))
ALL_CNN_C = functools.partial(AllConvolutional, layers=all_convolutional(BASE_C))
