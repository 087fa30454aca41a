"""Defines VGG: stages of small convolutions, each closed by pooling, and three dense layers.

On a CPU a run may compute these convolutions by faster algorithms: see docs/cpu_convolutions.md.

Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition",
2015, Table 1.
"""

from collections.abc import Callable
from functools import partial

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, DTypeLike, Float

from lecture_models.nn.local_response_norm import krizhevsky_norm
from lecture_models.nn.pooling import max_pool


class VGG(nn.Module):
    """Computes logits, and all activations by name, from images.

    Names of activations: `conv1_1` (before the nonlinearity), `relu1_1`, ..., `pool1`, ..., `fc6`,
    `relu6`, `fc7`, `relu7`; in A-LRN also `norm1`. `fc6` reads `pool5` row by row, channels last;
    images of 224x224 make it 7x7.

    Departure from the paper: He's initialization. The paper initializes network A from a normal
    distribution, and the deeper networks from the trained A.

    Attributes:
        stages: for each stage the number of output channels, and the filter side in pixels of each
            of its convolutions. The pooling after a stage halves the side.
        num_classes: the number of classes; 0 means that there are no dense layers. Images may then
            have any size, and logits have shape (batch, 0).
        pool: the pooling function, `max_pool` or `mean_pool` of `nn.pooling`.
        padding: how convolutions pad: "SAME" with zeros, "REFLECT" with the mirrored maps,
            "CIRCULAR" with the opposite edges.
        normalization: the function after `relu1_1`; None means no normalization.
        hidden: the number of units of each hidden dense layer.
        dropout_rate: the rate of the dropout after each hidden dense layer, from 0 to 1.
        nonlinearity: the function after each layer but the last.
        dtype: the type in which the network computes; logits are float32.
    """

    stages: tuple[tuple[int, tuple[int, ...]], ...]
    num_classes: int = 1000
    pool: Callable[[Array, int, int], Array] = max_pool
    padding: str = "SAME"
    normalization: Callable[[Array], Array] | None = None
    hidden: int = 4096
    dropout_rate: float = 0.5
    nonlinearity: Callable[[Array], Array] = nn.relu
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width channel"], training: bool = False
    ) -> tuple[Float[Array, "batch class"], dict[str, Float[Array, "batch ..."]]]:
        """Returns logits and the activations by name.

        Args:
            images: the images, preprocessed.
            training: whether dropout is active; it then draws from the rng `dropout`.

        Raises:
            ValueError: the image is too small for all poolings.
        """
        settings = {"dtype": self.dtype, "kernel_init": nn.initializers.he_normal()}
        activations = {}
        x = images
        for stage, (channels, filters) in enumerate(self.stages, start=1):
            for layer, size in enumerate(filters, start=1):
                name = f"{stage}_{layer}"
                convolution = nn.Conv(
                    channels,
                    (size, size),
                    padding=self.padding,
                    name=f"conv{name}",
                    **settings,
                )
                activations[f"conv{name}"] = x = convolution(x)
                activations[f"relu{name}"] = x = self.nonlinearity(x)
                if name == "1_1" and self.normalization is not None:
                    activations["norm1"] = x = self.normalization(x)
            activations[f"pool{stage}"] = x = self.pool(x, 2, 2)
        if self.num_classes == 0:
            return jnp.zeros((len(x), 0)), activations
        x = x.reshape(len(x), -1)
        for layer in (6, 7):
            activations[f"fc{layer}"] = x = nn.Dense(self.hidden, name=f"fc{layer}", **settings)(x)
            activations[f"relu{layer}"] = x = self.nonlinearity(x)
            x = nn.Dropout(self.dropout_rate, deterministic=not training)(x)
        logits = nn.Dense(self.num_classes, name="fc8", **settings)(x)
        return logits.astype(jnp.float32), activations


# The columns of Table 1. The last filters of C's stages 3 to 5 are 1x1.
_A = ((64, (3,)), (128, (3,)), (256, (3, 3)), (512, (3, 3)), (512, (3, 3)))
_B = ((64, (3, 3)), (128, (3, 3)), (256, (3, 3)), (512, (3, 3)), (512, (3, 3)))
_C = ((64, (3, 3)), (128, (3, 3)), (256, (3, 3, 1)), (512, (3, 3, 1)), (512, (3, 3, 1)))
_D = ((64, (3, 3)), (128, (3, 3)), (256, (3,) * 3), (512, (3,) * 3), (512, (3,) * 3))
_E = ((64, (3, 3)), (128, (3, 3)), (256, (3,) * 4), (512, (3,) * 4), (512, (3,) * 4))

VGG_A = partial(VGG, stages=_A)
VGG_A_LRN = partial(VGG, stages=_A, normalization=krizhevsky_norm)
VGG_B = partial(VGG, stages=_B)
VGG_C = partial(VGG, stages=_C)
VGG_D = partial(VGG, stages=_D)  # VGG-16
VGG_E = partial(VGG, stages=_E)  # VGG-19
