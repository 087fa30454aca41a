"""The lecture's smallest ConvNet for CIFAR-10: INPUT - CONV - RELU - POOL - FC."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from lecture_models.nn.classifier_head import linear_classifier
from lecture_models.nn.pooling import max_pool


class CifarConvNet(nn.Module):
    """32x32x3 to 32x32x12 to 16x16x12 to the scores of the classes.

    The lecture leaves the filter's side open: `window` is odd, and zero padding keeps the side.

    Activations: `conv` (before the nonlinearity), `relu`, `pool`. Raises ValueError where `window`
    is even.
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
        if self.window % 2 == 0:
            raise ValueError(f"window is {self.window}: only an odd one can keep the side")
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
