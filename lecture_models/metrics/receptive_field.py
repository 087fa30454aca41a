"""Which part of the input a unit sees: by the formula, and by the support of a gradient."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


class Layer(NamedTuple):
    """A convolution or pooling along one axis."""

    filter: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1


class ReceptiveField(NamedTuple):
    """Of the units of a layer, in input pixels.

    `center` is where unit 0 looks, pixel 0 being centered on 0; unit i looks at center + i stride.
    """

    size: int
    stride: int
    center: float

    def span(self, unit: int) -> tuple[int, int]:
        """First and last pixel that a unit sees; they lie outside where it sees padding."""
        first = round(self.center + unit * self.stride - (self.size - 1) / 2)
        return first, first + self.size - 1


def receptive_field(layers: Iterable[Layer]) -> ReceptiveField:
    """Each layer adds (F - 1) d strides to the field and multiplies the stride by its own.

    Without layers a unit is a pixel. Raises ValueError for a filter, stride or dilation below 1 or
    a negative padding.
    """
    field = ReceptiveField(1, 1, 0.0)
    for layer in layers:
        if min(layer.filter, layer.stride, layer.dilation) < 1 or layer.padding < 0:
            raise ValueError(f"{layer}: all but the padding must be at least 1, padding 0")
        reach = (layer.filter - 1) * layer.dilation
        field = ReceptiveField(
            field.size + reach * field.stride,
            field.stride * layer.stride,
            field.center + (reach / 2 - layer.padding) * field.stride,
        )
    return field


def gradient_support(
    features: Callable[
        [Float[Array, "image height width channel"]], Float[Array, "image row column feature"]
    ],
    images: Float[Array, "image height width channel"],
    unit: tuple[int, int],
) -> Bool[Array, "height width"]:
    """Pixels that the unit at (row, column) depends on, in any channel, at any of the images.

    Where the gradient of the sum of its features is not zero. A rectifier or a maximum hides what
    does not reach the unit at one image: give several random images, weights without exact
    cancellation (random, or all positive), and means in place of maxima where a net is deep.

    Raises ValueError for a unit outside the map.
    """
    rows, columns = jax.eval_shape(features, images).shape[1:3]
    row, column = unit
    if not (0 <= row < rows and 0 <= column < columns):
        raise ValueError(f"unit {unit} is outside the map of {rows}x{columns} units")
    gradient = jax.grad(lambda images: features(images)[:, row, column].sum())(images)
    return jnp.any(gradient != 0.0, axis=(0, 3))


def extent(support: Bool[Array, "height width"]) -> tuple[tuple[int, int], tuple[int, int]]:
    """First and last row, and first and last column, of the support's bounding box.

    Raises ValueError for an empty support.
    """
    if not support.any():
        raise ValueError("the support is empty: the unit depends on no pixel")
    spans = []
    for axis in (1, 0):
        (hit,) = jnp.nonzero(support.any(axis=axis))
        spans.append((int(hit[0]), int(hit[-1])))
    return spans[0], spans[1]
