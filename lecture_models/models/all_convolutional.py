"""The all-convolutional net, and the nets with pooling that it is made from.

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

# Table 1, by columns; a stage ends where the side is halved, the last with a convolution per class.
_LAST = (Conv(192, 3, padded=False), Conv(192, 1), Conv(0, 1))
BASE_A = ((Conv(96, 5),), (Conv(192, 5),), _LAST)
BASE_B = ((Conv(96, 5), Conv(96, 1)), (Conv(192, 5), Conv(192, 1)), _LAST)
BASE_C = ((Conv(96, 3), Conv(96, 3)), (Conv(192, 3), Conv(192, 3)), _LAST)


def _between(stages: tuple[Stage, ...], close: Callable[[Stage], Layers]) -> Layers:
    """Layers of all stages, each but the last closed."""
    *inner, last = stages
    return (*(layer for stage in inner for layer in close(stage)), *last)


def pooled(stages: tuple[Stage, ...]) -> Layers:
    """The base models: 3x3 maximum pooling of stride 2 between stages."""
    return _between(stages, lambda stage: (*stage, Pool()))


def strided(stages: tuple[Stage, ...]) -> Layers:
    """Strided-CNN: no pooling, the convolution before it takes its stride."""
    return _between(stages, lambda stage: (*stage[:-1], stage[-1]._replace(stride=2)))


def convolved_and_pooled(stages: tuple[Stage, ...]) -> Layers:
    """ConvPool-CNN: a 3x3 convolution more before each pooling."""
    return _between(stages, lambda stage: (*stage, Conv(stage[-1].features, 3), Pool()))


def all_convolutional(stages: tuple[Stage, ...]) -> Layers:
    """All-CNN: each pooling is replaced by a 3x3 convolution of stride 2 and as many channels."""
    return _between(stages, lambda stage: (*stage, Conv(stage[-1].features, 3, stride=2)))


class AllConvolutional(nn.Module):
    """Convolutions, each with a bias and a nonlinearity, and the mean of a map for each class.

    Dropout, drawn from the rng `dropout`: `input_dropout` on the images, `dropout` after each
    layer that halves the side. The last maps, 6x6 for 32x32 images, pass the nonlinearity as in
    Table 1, unless `rectified_scores` is False.

    Activations: `conv1` (before the nonlinearity), `relu1`, ..., and `pool1`, ... in the bases.
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
