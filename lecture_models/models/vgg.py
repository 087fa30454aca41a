"""VGG: stacks of small convolutions between poolings, and three fully connected layers."""

from collections.abc import Callable
from functools import partial

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, DTypeLike, Float

from lecture_models.nn.local_response_norm import krizhevsky_norm
from lecture_models.nn.pooling import max_pool


class VGG(nn.Module):
    """Images to logits through `stages` of convolutions, each stage halved by pooling.

    A stage is (channels, the size of each of its filters). Activations: `conv1_1` (before the
    nonlinearity), `relu1_1`, ..., `pool1`, ..., `fc6`, `relu6`, `fc7`, `relu7`; in A-LRN `norm1`.
    `fc6` sees `pool5` row by row, channels last; images of 224x224 give it 7x7.

    With `num_classes` 0 only the stages are there, for images of any size, and logits are
    (batch, 0). In training, dropout takes the key `dropout`. Raises ValueError where the image is
    too small for all the poolings.

    Departure from the paper: He's initialization, where the paper trains A from normal values and
    starts the deeper networks from it.

    Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition",
    2015, Table 1.
    """

    stages: tuple[tuple[int, tuple[int, ...]], ...]
    num_classes: int = 1000
    pool: Callable[[Array, int, int], Array] = max_pool  # Or mean_pool.
    padding: str = "SAME"  # With zeros; or "REFLECT".
    normalization: Callable[[Array], Array] | None = None  # After relu1_1.
    hidden: int = 4096
    dropout_rate: float = 0.5
    nonlinearity: Callable[[Array], Array] = nn.relu
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width channel"], training: bool = False
    ) -> tuple[Float[Array, "batch class"], dict[str, Float[Array, "batch ..."]]]:
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


# Table 1, column by column. C's third filters are 1x1.
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
