"""Defines network in network for CIFAR, which slides a small perceptron over the image.

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

# Names, widths, and mean pooling as the second pooling: the authors' Caffe model for CIFAR-10.
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
    """Computes logits, and activations by name, from images.

    Three convolutions, each followed by two 1x1 convolutions, end in one map per class; logits are
    the means of these maps. With 10 classes the network has 966,986 parameters.

    Activations have the names of the authors' Caffe model: `conv1` (before the nonlinearity),
    `relu_conv1`, `cccp1`, ..., `pool1`, ...

    Attributes:
        layers: the convolutions and poolings in order.
        num_classes: the number of classes; 0 means that the convolution to class maps is skipped.
            Logits then have shape (batch, 0).
        dropout: the rate of the dropout after each of the two poolings, from 0 to 1.
        rectified_scores: whether the nonlinearity also follows the convolution to class maps.
        nonlinearity: the function after each convolution.
        dtype: the type in which convolutions compute.
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
        """Returns logits and the activations by name.

        Args:
            images: the images, preprocessed.
            training: whether dropout is active; it then draws from the rng `dropout`.
        """
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
