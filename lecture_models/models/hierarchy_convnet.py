"""Defines a small network whose three layers see as much as a stroke, a part and an object."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from lecture_models.nn.classifier_head import linear_classifier
from lecture_models.nn.convolution_stack import Conv, Pool, run_stack

POOL = Pool(window=2, stride=2)


class HierarchyConvNet(nn.Module):
    """Maps images to logits by three 5x5 convolutions with 2x2 pooling, and the largest responses.

    Units of the three convolutions see 5, 14 and 32 pixels. Only the largest response of each
    channel, wherever it is, reaches the logits.

    Activations: `conv1`, `relu1`, `pool1`, ..., `relu3`, `largest`.

    Attributes:
        num_classes: the number of classes; with 0 logits have shape (batch, 0).
        features: the channels of each convolution.
        nonlinearity: the function after each convolution.
        dtype: the type in which layers compute.
    """

    num_classes: int = 10
    features: tuple[int, int, int] = (8, 24, 48)
    nonlinearity: Callable[[jax.Array], jax.Array] = nn.relu
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width channel"], training: bool = False
    ) -> tuple[Float[Array, "batch class"], dict[str, Float[Array, "batch ..."]]]:
        """Returns the logits and the activations.

        Args:
            images: the images, preprocessed.
            training: ignored; training and evaluation are the same.
        """
        first, second, third = (Conv(count, 5) for count in self.features)
        layers = (first, POOL, second, POOL, third)
        x, activations = run_stack(
            *(layers, images, 0, self.nonlinearity), dropout=0.0, training=False, dtype=self.dtype
        )
        activations["largest"] = x = x.max((1, 2))
        return linear_classifier(x, self.num_classes, self.dtype), activations
