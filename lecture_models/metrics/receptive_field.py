"""Computes the part of the input that a unit sees, by formula and from a gradient."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


class WindowedLayer(NamedTuple):
    """Describes a convolution or pooling along one axis.

    Attributes:
        filter: the filter's size.
        stride: the step between neighboring outputs.
        padding: zeros before the first input.
        dilation: the step between neighboring elements of the filter.
    """

    filter: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1


class ReceptiveField(NamedTuple):
    """Describes what the units of a layer see along one axis, in input pixels.

    Attributes:
        size: the number of pixels that a unit sees.
        stride: the step between the fields of neighboring units.
        center: the middle of the field of unit 0, where pixel 0 has its center at 0. The field of
            unit i has its middle at center + i stride.
    """

    size: int
    stride: int
    center: float

    def span(self, unit: int) -> tuple[int, int]:
        """Returns the first and the last pixel that a unit sees.

        Args:
            unit: the index of the unit.

        Returns:
            The two pixels; they lie outside the image where the unit sees padding.
        """
        first = round(self.center + unit * self.stride - (self.size - 1) / 2)
        return first, first + self.size - 1


def receptive_field(layers: Iterable[WindowedLayer]) -> ReceptiveField:
    """Returns the receptive field of a stack of layers.

    A layer with filter F, stride s and dilation d grows the field by (F - 1) d times the stride
    before it, and multiplies that stride by s.

    Args:
        layers: the layers in their order; none makes a unit a pixel.

    Returns:
        The field of the last layer's units.

    Raises:
        ValueError: a filter, stride or dilation is below 1, or a padding below 0.
    """
    field = ReceptiveField(1, 1, 0.0)
    for layer in layers:
        if min(layer.filter, layer.stride, layer.dilation) < 1 or layer.padding < 0:
            raise ValueError(
                f"{layer}: filter, stride and dilation must be at least 1, padding at least 0"
            )
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
    """Finds the pixels that a unit depends on, where the gradient of its features is not zero.

    A rectifier or a maximum hides at one image the pixels that do not reach the unit there. Use
    several random images, weights without exact cancellation (random, or all positive), and means
    in place of maxima in a deep network.

    Args:
        features: maps images to maps of features.
        images: the images at which the gradient is taken.
        unit: the (row, column) of the unit in the map.

    Returns:
        True where the pixel, in any channel of any image, changes the sum of the unit's features.

    Raises:
        ValueError: the unit is outside the map.
    """
    rows, columns = jax.eval_shape(features, images).shape[1:3]
    row, column = unit
    if not (0 <= row < rows and 0 <= column < columns):
        raise ValueError(f"unit {unit} is outside the map of {rows}x{columns} units")
    gradient = jax.grad(lambda images: features(images)[:, row, column].sum())(images)
    return jnp.any(gradient != 0.0, axis=(0, 3))


def extent(support: Bool[Array, "height width"]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Returns the bounding box of a set of pixels.

    Args:
        support: True for the pixels of the set.

    Returns:
        The first and the last row, and the first and the last column.

    Raises:
        ValueError: the set is empty.
    """
    if not support.any():
        raise ValueError("the support is empty: the unit depends on no pixel")
    spans = []
    for axis in (1, 0):
        (hit,) = jnp.nonzero(support.any(axis=axis))
        spans.append((int(hit[0]), int(hit[-1])))
    return spans[0], spans[1]
