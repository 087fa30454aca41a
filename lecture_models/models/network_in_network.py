"""Network in network for CIFAR: a small perceptron slides over the image in place of a filter.

Lin et al., "Network in network", 2014, sections 3 and 4.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from lecture_models.nn.convolution_stack import Conv, Pool, mean_scores, run_stack
from lecture_models.nn.pooling import mean_pool

# Names, widths and the second, mean pooling are those of the authors' Caffe model for CIFAR-10.
CIFAR_LAYERS = (
    Conv(192, 5, name="conv1"),
    Conv(160, 1, name="cccp1"),
    Conv(96, 1, name="cccp2"),
    Pool(),
    Conv(192, 5, name="conv2"),
    Conv(192, 1, name="cccp3"),
    Conv(192, 1, name="cccp4"),
    Pool(reduce=mean_pool),
    Conv(192, 3, name="conv3"),
    Conv(192, 1, name="cccp5"),
    Conv(0, 1, name="cccp6"),
)


class NetworkInNetwork(nn.Module):
    """Three convolutions, each followed by two 1x1 ones, and the mean of a map for each class.

    With 10 classes 966,986 parameters. `dropout`, drawn from the rng of that name, follows the two
    poolings. The classes' maps pass the nonlinearity too, unless `rectified_scores` is False.

    Activations by Caffe's names: `conv1` (before the nonlinearity), `relu_conv1`, `cccp1`, ...,
    `pool1`, ...
    """

    layers: tuple[Conv | Pool, ...] = CIFAR_LAYERS
    num_classes: int = 10
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
            images,
            self.num_classes,
            self.nonlinearity,
            self.dropout,
            training,
            self.dtype,
            self.rectified_scores,
        )
        return mean_scores(x, self.num_classes), activations
