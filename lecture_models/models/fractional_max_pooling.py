"""Defines a deep network that halves the area of its maps six times by fractional max-pooling.

Graham, "Fractional max-pooling", 2014, sections 3 and 4.
"""

import functools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from lecture_models.nn.classifier_head import linear_classifier
from lecture_models.nn.fractional_pooling import (
    draw_boundaries,
    fractional_max_pool,
    middle_boundaries,
    pooled_size,
    pooling_span,
)

Maps = Float[Array, "batch height width channel"]
Pooled = Float[Array, "batch pooled_height pooled_width channel"]


class FractionalMaxPoolingNet(nn.Module):
    """Computes logits, and activations by name, from images.

    (`width`nC2-FMP)_`num_poolings`-C2-C1-output in the paper's notation: layer n has n * `width`
    filters of 2x2, without padding, and its rectified maps are pooled by `factor`. A 2x2 and a 1x1
    convolution to (`num_poolings` + 1) * `width` channels follow, then the mean over the remaining
    positions, and logits. Six poolings by sqrt(2) take a side of 36 to 1; images of 32 are padded
    by 2.

    Names of activations: `conv1` (before the nonlinearity), `relu1`, `pool1`, ..., and `pool` (the
    mean).

    Departures from the paper: the rectifier is not leaky, unless `nonlinearity` is; a mini-batch
    shares one set of pooling regions.

    Attributes:
        width: the channels of the first layer, and the increase per layer.
        num_poolings: the number of poolings, at least 1.
        factor: the ratio of the sides before and after a pooling, between 1 and 2.
        pseudorandom: whether pooling regions are pseudorandom; otherwise they are random (section
            3).
        overlapping: whether neighboring pooling regions share a row or column.
        num_classes: the number of classes; 0 means that there is no classifier. Logits then have
            shape (batch, 0).
        padding: the zeros added on each side of the image in pixels.
        final_dropout: the dropout rate before the last convolution, from 0 to 1; rates increase
            linearly from 0 before the first.
        random_evaluation: whether evaluation draws regions too, so that predictions can be averaged
            over several draws, as in the paper; otherwise it uses the regions of u = 1/2.
        nonlinearity: the function after each convolution.
        dtype: the type in which the network computes; logits are float32.

    Raises:
        ValueError: `factor` is not between 1 and 2, or `num_poolings` is below 1.
    """

    width: int = 160
    num_poolings: int = 6
    factor: float = math.sqrt(2.0)
    pseudorandom: bool = True
    overlapping: bool = True
    num_classes: int = 10
    padding: int = 2
    final_dropout: float = 0.5
    random_evaluation: bool = False
    nonlinearity: Callable[[jax.Array], jax.Array] = nn.relu
    dtype: DTypeLike = jnp.float32

    def __post_init__(self):
        super().__post_init__()
        if not 1.0 < self.factor < 2.0:
            raise ValueError(f"factor is {self.factor}; it must be between 1 and 2")
        if self.num_poolings < 1:
            raise ValueError(f"num_poolings is {self.num_poolings}; it must be at least 1")

    @nn.compact
    def __call__(
        self, images: Maps, training: bool = False
    ) -> tuple[Float[Array, "batch class"], dict[str, Float[Array, "batch ..."]]]:
        """Returns logits and the activations by name.

        Args:
            images: the images, preprocessed.
            training: whether pooling regions are drawn from the rng `structure`, and dropout draws
                from the rng `dropout`.

        Raises:
            ValueError: the image is too small for all layers.
        """
        activations, num_layers = {}, self.num_poolings + 2
        pad = (self.padding, self.padding)
        x = jnp.pad(images, ((0, 0), pad, pad, (0, 0)))
        for layer in range(1, num_layers + 1):
            window = 1 if layer == num_layers else 2
            features = min(layer, self.num_poolings + 1) * self.width
            if min(x.shape[1:3]) < window:
                raise ValueError(
                    f"images are {images.shape[1]}x{images.shape[2]}, too small for layer {layer}: "
                    f"its input is {x.shape[1]}x{x.shape[2]} and its filters are {window}x{window}"
                )
            rate = self.final_dropout * (layer - 1) / (num_layers - 1)
            x = nn.Dropout(rate, deterministic=not training)(x)
            x = nn.Conv(
                features,
                (window, window),
                padding="VALID",
                kernel_init=nn.initializers.he_normal(),
                dtype=self.dtype,
                name=f"conv{layer}",
            )(x)
            activations[f"conv{layer}"] = x
            activations[f"relu{layer}"] = x = self.nonlinearity(x)
            if layer <= self.num_poolings:
                activations[f"pool{layer}"] = x = self._pool(x, training)
        activations["pool"] = x = x.mean((1, 2))
        return linear_classifier(x, self.num_classes, self.dtype), activations

    def _pool(self, x: Maps, training: bool) -> Pooled:
        spans = [(pooling_span(size, self.overlapping), size) for size in x.shape[1:3]]
        if (training or self.random_evaluation) and not self.is_initializing():
            keys = jax.random.split(self.make_rng("structure"))
            draws = [
                functools.partial(draw_boundaries, key, pseudorandom=self.pseudorandom)
                for key in keys
            ]
        else:
            draws = [middle_boundaries] * 2
        boundaries = [
            draw(span=span, num_regions=pooled_size(size, self.factor))
            for draw, (span, size) in zip(draws, spans, strict=True)
        ]
        return fractional_max_pool(x, *boundaries, self.overlapping)
