"""Computes an objective of an image tile by tile, exactly up to rounding, in less memory.

Each unit of a feature map is counted in one tile, whose crop of the image holds all pixels that the
unit sees. XLA's CPU backend computes a convolution's gradient slowly inside a loop, so the loop
over tiles is unrolled, and each tile waits for the one before. Outside of `jax.jit`, the tiles are
calls of one compiled function per shape.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lecture_models.metrics.receptive_field import ReceptiveField

Images = Float[Array, "image height width channel"]
Crop = Float[Array, "image crop_height crop_width channel"]
Features = Float[Array, "image row column feature"]
CountedFeatures = Float[Array, "image counted_row counted_column feature"]


class TileExtent(NamedTuple):
    """Describes a tile along one axis, in pixels.

    The tile counts the units that belong to pixels from `core` on and before `core_stop`. `start`
    and `core` are multiples of every layer's stride.

    Attributes:
        start: first pixel of the crop.
        stop: end of the crop, not included.
        core: first pixel whose units are counted.
        core_stop: end of the pixels whose units are counted, not included; None for all units up to
            the last one of the map.
    """

    start: int
    stop: int
    core: int
    core_stop: int | None

    def units(self, stride: int) -> slice:
        """Returns the counted units in the crop's map of a layer with this stride."""
        stop = None if self.core_stop is None else (self.core_stop - self.start) // stride
        return slice((self.core - self.start) // stride, stop)

    def whole_units(self, stride: int) -> slice:
        """Returns the counted units in the whole image's map of a layer with this stride."""
        stop = None if self.core_stop is None else self.core_stop // stride
        return slice(self.core // stride, stop)

    @property
    def inside(self) -> "TileExtent":
        """Returns the extent in pixels of the crop.

        Tiles that differ only in their position have equal extents.
        """
        stop = None if self.core_stop is None else self.core_stop - self.start
        return TileExtent(0, self.stop - self.start, self.core - self.start, stop)


class Tile(NamedTuple):
    """Describes a rectangular tile of an image by its extents along both axes."""

    rows: TileExtent
    columns: TileExtent

    @property
    def inside(self) -> "Tile":
        """Returns the tile in pixels of its crop."""
        return Tile(self.rows.inside, self.columns.inside)

    def cut(self, images: Images) -> Crop:
        """Returns the tile's crop of images."""
        return images[:, self.rows.start : self.rows.stop, self.columns.start : self.columns.stop]

    def add(self, images: Images, crop: Crop) -> Images:
        """Returns the images with a crop added where the tile lies."""
        rows, columns = self.rows, self.columns
        return images.at[:, rows.start : rows.stop, columns.start : columns.stop].add(crop)

    def units(self, features: Features, stride: tuple[int, int]) -> CountedFeatures:
        """Returns the features of the counted units.

        Args:
            features: feature maps of the tile's crop.
            stride: the layer's strides along rows and columns, in pixels.

        Returns:
            The part of the maps that the tile counts.
        """
        return features[:, self.rows.units(stride[0]), self.columns.units(stride[1])]

    def of_whole(self, values: Features, stride: tuple[int, int]) -> CountedFeatures:
        """Returns the part of a map of the whole image that belongs to the counted units.

        Args:
            values: values at the units of a layer for the whole image.
            stride: the layer's strides along rows and columns, in pixels.

        Returns:
            The part of the map.
        """
        rows, columns = self.rows.whole_units(stride[0]), self.columns.whole_units(stride[1])
        return values[:, rows, columns]


def partition(size: int, tile: int, fields: Iterable[ReceptiveField]) -> tuple[TileExtent, ...]:
    """Returns the extents of the tiles along one axis of an image.

    Args:
        size: length of the axis in pixels.
        tile: pixels whose units one tile counts, rounded down to a multiple of the largest stride;
            the last tile counts half as many to one and a half times as many.
        fields: receptive fields of the layers that the objective reads. One of their strides must
            be a multiple of all others.

    Returns:
        The extents, in the order of pixels.

    Raises:
        ValueError: if `tile` is smaller than the largest stride.
    """
    fields = tuple(fields)
    stride = max(field.stride for field in fields)
    if tile < stride:
        raise ValueError(
            f"the tile is {tile} pixels; it must be at least the stride of a unit, {stride}"
        )
    core = tile // stride * stride
    starts = range(0, max(1, size - core // 2), core)
    extents = []
    for begin in starts:
        last = begin == starts[-1]
        first_seen = min(field.span(begin // field.stride)[0] for field in fields)
        end = max(field.span((begin + core) // field.stride - 1)[1] + 1 for field in fields)
        start = max(0, first_seen // stride * stride)
        # The crop ends a whole number of strides before the image does: a layer's padding may
        # depend on the remainder.
        stop = size if last else size - max(0, size - end) // stride * stride
        extents.append(TileExtent(start, stop, begin, None if last else begin + core))
    return tuple(extents)


def tile_grid(
    size: tuple[int, int],
    tile: int,
    rows: Iterable[ReceptiveField],
    columns: Iterable[ReceptiveField],
) -> tuple[Tile, ...]:
    """Returns the tiles of an image, row by row.

    Args:
        size: height and width of the image in pixels.
        tile: side of the tiles, as in `partition`.
        rows: receptive fields along rows of the layers that the objective reads.
        columns: their receptive fields along columns.

    Returns:
        The tiles.

    Raises:
        ValueError: if `tile` is smaller than the largest stride.
    """
    down, across = partition(size[0], tile, rows), partition(size[1], tile, columns)
    return tuple(Tile(row_extent, column_extent) for row_extent in down for column_extent in across)


# (arguments, crop, tile in pixels of its crop) -> sums over the tile's counted units: a pytree of
# arrays with the images along their first axis.
Sums = Callable[[Any, Crop, Tile], Any]


def tiled_objective(
    sums: Sums, tiles: Iterable[Tile]
) -> Callable[[Any, Images], Float[Array, " image"]]:
    """Returns an objective that is a sum over tiles.

    value(arguments, images) = sum over tiles of sums(arguments, crop, tile). Memory is that of one
    tile and a few whole images; one pass over the tiles gives value and gradient. It can be
    differentiated with respect to the images only, and each value must depend on its own image
    only.

    Args:
        sums: the values of one tile, one per image.
        tiles: the tiles of the images.

    Returns:
        The objective: a function of the arguments and images, with one value per image.
    """
    sums_of, gradient_of = _passes(sums, tiles, lambda arguments, tile: arguments)

    @jax.custom_vjp
    def value(arguments, images):
        return sums_of(arguments, images)

    def backward(gradient, cotangent):
        return None, cotangent.reshape(-1, 1, 1, 1) * gradient

    value.defvjp(lambda arguments, images: gradient_of(arguments, images, None), backward)
    return value


def tiled_sums(
    sums: Sums, tiles: Iterable[Tile], cut: Callable[[Any, Tile], Any]
) -> Callable[[Any, Images], Any]:
    """Returns a function that sums over tiles; any function of its sums can be differentiated.

    total(arguments, images) = sum over tiles of sums(cut(arguments, tile), crop, tile). Memory is
    that of one tile and a few whole images. The gradient, which is with respect to the images only,
    needs a second pass over the tiles, which computes their features again.

    Args:
        sums: the sums of one tile.
        tiles: the tiles of the images.
        cut: computes what a tile needs of the arguments, such as its part of a target.

    Returns:
        A function of the arguments and images.
    """
    sums_of, gradient_of = _passes(sums, tiles, cut)

    @jax.custom_vjp
    def total(arguments, images):
        return sums_of(arguments, images)

    def backward(inputs, weights):
        return None, gradient_of(*inputs, weights)[1]

    total.defvjp(lambda *inputs: (sums_of(*inputs), inputs), backward)
    return total


def _passes(sums: Sums, tiles: Iterable[Tile], cut: Callable[[Any, Tile], Any]):
    """Returns the functions that pass over the tiles: for the sums, and for sums and gradient.

    The second one takes the weight of each sum in the gradient; None for weights of 1.
    """
    tiles = tuple(tiles)
    local = jax.jit(sums, static_argnums=2)

    def pulled(arguments, crop, weights, tile):
        values, pull = jax.vjp(lambda pixels: sums(arguments, pixels, tile), crop)
        return values, pull(jax.tree.map(jnp.ones_like, values) if weights is None else weights)[0]

    pulled = jax.jit(pulled, static_argnums=3)

    def sums_of(arguments, images):
        total = None
        for tile in tiles:
            crop = _after(tile.cut(images), total)
            values = local(cut(arguments, tile), crop, tile.inside)
            total = values if total is None else jax.tree.map(jnp.add, total, values)
        return total

    def gradient_of(arguments, images, weights):
        gradient, total = jnp.zeros_like(images), None
        for tile in tiles:
            # The first crop waits for the weights, which need the sums of an earlier pass.
            earlier = weights if total is None else (gradient, total)
            crop = _after(tile.cut(images), earlier)
            values, crop_gradient = pulled(cut(arguments, tile), crop, weights, tile.inside)
            gradient = tile.add(gradient, crop_gradient)
            total = values if total is None else jax.tree.map(jnp.add, total, values)
        return total, gradient

    return sums_of, gradient_of


def _after(crop: Crop, earlier: Any) -> Crop:
    """Returns the crop, but not before `earlier` is computed, whose memory is then free again.

    XLA's CPU backend drops an optimization barrier before it orders the work, so the crop depends
    on a zero that is computed from `earlier`. A value that is not finite must not reach the crop.
    """
    if earlier is None:
        return crop
    first_values = [leaf.ravel()[0] for leaf in jax.tree.leaves(earlier)]
    return crop + sum(0.0 * jnp.where(jnp.isfinite(value), value, 0.0) for value in first_values)
