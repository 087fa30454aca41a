"""Defines AlexNet: five convolutions and three dense layers, in one tower or two groups."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, DTypeLike, Float

from lecture_models.nn.arithmetic import output_size
from lecture_models.nn.local_response_norm import krizhevsky_norm
from lecture_models.nn.pooling import max_pool


class _ConvLayer(NamedTuple):
    """Describes a convolution; `bias` is the initial value of its biases (section 5)."""

    channels: int
    filter: int
    stride: int = 1
    padding: int = 0
    grouped: bool = False
    normalized: bool = False
    pooled: bool = False
    bias: float = 0.0


_LAYERS = (
    _ConvLayer(96, 11, stride=4, normalized=True, pooled=True),
    _ConvLayer(256, 5, padding=2, grouped=True, normalized=True, pooled=True, bias=1.0),
    _ConvLayer(384, 3, padding=1),
    _ConvLayer(384, 3, padding=1, grouped=True, bias=1.0),
    _ConvLayer(256, 3, padding=1, grouped=True, pooled=True, bias=1.0),
)


class AlexNet(nn.Module):
    """Maps images of 227x227 pixels to logits.

    Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", 2012,
    sections 3.5, 4.2 and 5.

    Activations: `conv1` (before the nonlinearity), `relu1`, `norm1`, `pool1` (3x3 at stride 2),
    ..., `conv5`, `relu5`, `pool5`, `fc6`, `relu6`, `fc7`, `relu7`. `fc6` sees `pool5` row by row,
    channels last.

    Attributes:
        groups: 2 for the network of 2012, whose second, fourth and fifth convolutions see only the
            maps on their own graphics card; 1 for one tower.
        num_classes: the number of classes. With 0 there are only the convolutions, for images of
            any size, and logits have shape (batch, 0).
        pool: the pooling function, called with maps, window and stride.
        normalization: the function after the first two convolutions.
        hidden: the units of `fc6` and `fc7`.
        dropout_rate: the rate of dropout after `relu6` and `relu7`, from 0 to 1.
        nonlinearity: the function after each layer but the last.
        dtype: the type in which layers compute.
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
        """Returns the logits and the activations.

        Args:
            images: the images, preprocessed.
            training: whether dropout is active; it then draws from the rng `dropout`.

        Raises:
            ValueError: there is a classifier, and the first filters do not fit the image evenly.
                A side of 224, which the paper states, gives 54.25 positions.
        """
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
