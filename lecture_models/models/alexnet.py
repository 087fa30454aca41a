"""AlexNet: five convolutions and three fully connected layers, in one tower or two groups."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, DTypeLike, Float

from lecture_models.nn.arithmetic import output_size
from lecture_models.nn.local_response_norm import krizhevsky_norm
from lecture_models.nn.pooling import max_pool


class _Layer(NamedTuple):
    """One convolution; `bias` is what its biases start from (section 5)."""

    channels: int
    filter: int
    stride: int = 1
    padding: int = 0
    grouped: bool = False
    normalized: bool = False
    pooled: bool = False
    bias: float = 0.0


_LAYERS = (
    _Layer(96, 11, stride=4, normalized=True, pooled=True),
    _Layer(256, 5, padding=2, grouped=True, normalized=True, pooled=True, bias=1.0),
    _Layer(384, 3, padding=1),
    _Layer(384, 3, padding=1, grouped=True, bias=1.0),
    _Layer(256, 3, padding=1, grouped=True, pooled=True, bias=1.0),
)


class AlexNet(nn.Module):
    """Images of 227x227 to logits.

    `groups` 2 is the network of 2012, whose second, fourth and fifth convolutions see the maps on
    their own card only; 1 is one tower. Activations: `conv1` (before the nonlinearity), `relu1`,
    `norm1`, `pool1` (3x3 at stride 2), ..., `conv5`, `relu5`, `pool5`, `fc6`, `relu6`, `fc7`,
    `relu7`. `fc6` sees `pool5` row by row, channels last.

    With `num_classes` 0 only the convolutions are there, for images of any size, and logits are
    (batch, 0). In training, dropout takes the key `dropout`. Raises ValueError where there is a
    classifier and the first filters do not tile the image: 224, which the paper prints, gives
    54.25 positions.

    Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", 2012,
    sections 3.5, 4.2 and 5.
    """

    groups: int = 2
    num_classes: int = 1000
    pool: Callable[[Array, int, int], Array] = max_pool
    normalization: Callable[[Array], Array] = krizhevsky_norm
    hidden: int = 4096
    dropout_rate: float = 0.5
    nonlinearity: Callable[[Array], Array] = nn.relu
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width channel"], training: bool = False
    ) -> tuple[Float[Array, "batch class"], dict[str, Float[Array, "batch ..."]]]:
        if self.num_classes:
            for side in images.shape[1:3]:
                output_size(side, _LAYERS[0].filter, _LAYERS[0].stride)
        settings = {"dtype": self.dtype, "kernel_init": nn.initializers.normal(0.01)}
        activations = {}
        x = images
        for index, layer in enumerate(_LAYERS, start=1):
            activations[f"conv{index}"] = x = nn.Conv(
                layer.channels,
                (layer.filter, layer.filter),
                layer.stride,
                layer.padding,
                feature_group_count=self.groups if layer.grouped else 1,
                bias_init=nn.initializers.constant(layer.bias),
                name=f"conv{index}",
                **settings,
            )(x)
            activations[f"relu{index}"] = x = self.nonlinearity(x)
            if layer.normalized:
                activations[f"norm{index}"] = x = self.normalization(x)
            if layer.pooled:
                activations[f"pool{index}"] = x = self.pool(x, 3, 2)
        if self.num_classes == 0:
            return jnp.zeros((len(x), 0)), activations
        x = x.reshape(len(x), -1)
        for index in (6, 7):
            ones = nn.initializers.ones
            layer = nn.Dense(self.hidden, bias_init=ones, name=f"fc{index}", **settings)
            activations[f"fc{index}"] = x = layer(x)
            activations[f"relu{index}"] = x = self.nonlinearity(x)
            x = nn.Dropout(self.dropout_rate, deterministic=not training)(x)
        logits = nn.Dense(self.num_classes, name="fc8", **settings)(x)
        return logits.astype(jnp.float32), activations


AlexNetOneTower = partial(AlexNet, groups=1)
