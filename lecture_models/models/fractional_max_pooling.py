"""A deep network that halves the area of its maps six times, by fractional max-pooling.

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
    """(`width`nC2-FMP)_`num_poolings`-C2-C1-output: layer n has n `width` 2x2 filters.

    Each layer's rectified valid convolution is pooled by `factor`; a 2x2 and a 1x1 layer of
    (num_poolings + 1) `width` features follow, then a mean over what is left of the side, and
    logits. With six poolings by sqrt 2 a side of 36 becomes 1; images of 32 are padded by 2.

    In training the regions are drawn from the rng `structure`, dropout from `dropout`, at rates
    that rise in even steps from 0 for the first layer to `final_dropout` for the last. Evaluation
    takes the regions of u = 1/2; with `random_evaluation` it draws too, so that several may be
    averaged, as the paper does.

    Activations: `conv1` (before the nonlinearity), `relu1`, `pool1`, ..., `pool` (the mean).

    Departures from the paper: the rectifier is not leaky unless `nonlinearity` is; one set of
    regions serves the whole mini-batch.

    Raises ValueError where `factor` is not in (1, 2), and where a side is too small.
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
            raise ValueError(f"factor is {self.factor}; allowed: between 1 and 2")
        if self.num_poolings < 1:
            raise ValueError(f"num_poolings is {self.num_poolings}: at least 1 is needed")

    @nn.compact
    def __call__(
        self, images: Maps, training: bool = False
    ) -> tuple[Float[Array, "batch class"], dict[str, Float[Array, "batch ..."]]]:
        activations, num_layers = {}, self.num_poolings + 2
        pad = (self.padding, self.padding)
        x = jnp.pad(images, ((0, 0), pad, pad, (0, 0)))
        for layer in range(1, num_layers + 1):
            window = 1 if layer == num_layers else 2
            features = min(layer, self.num_poolings + 1) * self.width
            if min(x.shape[1:3]) < window:
                raise ValueError(
                    f"images are {images.shape[1]}x{images.shape[2]}: layer {layer} would convolve "
                    f"{x.shape[1]}x{x.shape[2]} maps with {window}x{window} filters"
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
