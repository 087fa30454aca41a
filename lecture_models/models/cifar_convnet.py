"""Defines the lecture's smallest ConvNet for CIFAR-10: INPUT - CONV - RELU - POOL - FC."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from lecture_models.nn.classifier_head import linear_classifier
from lecture_models.nn.pooling import max_pool


class CifarConvNet(nn.Module):
    """Maps images to logits by one convolution, 2x2 pooling and a dense layer.

    The maps are 32x32x3, 32x32x12 and 16x16x12. Stanford CS231n, "Convolutional neural networks:
    architectures", which does not fix the filter's side.

    Activations: `conv` (before the nonlinearity), `relu`, `pool`.

    Attributes:
        num_classes: the number of classes. With 0 there is no dense layer, and logits have shape
            (batch, 0).
        features: the channels of the convolution.
        window: the filter's side in pixels; it must be odd, so that zero padding keeps the side, or
            a call raises ValueError.
        nonlinearity: the function after the convolution.
        dtype: the type in which layers compute.
    """

    num_classes: int = 10
    features: int = 12
    window: int = 3
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
        if self.window % 2 == 0:
            raise ValueError(f"window is {self.window}; it must be odd to keep the side")
        activations = {}
        activations["conv"] = x = nn.Conv(
            self.features,
            (self.window, self.window),
            padding=self.window // 2,
            kernel_init=nn.initializers.he_normal(),
            dtype=self.dtype,
            name="conv",
        )(images)
        activations["relu"] = x = self.nonlinearity(x)
        activations["pool"] = x = max_pool(x, window=2, stride=2)
        return linear_classifier(x.reshape(len(x), -1), self.num_classes, self.dtype), activations
