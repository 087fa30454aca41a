"""An objective of a picture larger than memory, tile by tile, exact to rounding.

Every unit of a map counts in one tile, whose cut-out holds all that the unit sees. A convolution's
gradient in a loop is slow on a CPU, so that the tiles are unrolled, each waiting for the one
before; outside of `jax.jit` they are calls of one compiled function for each shape.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lecture_models.metrics.receptive_field import ReceptiveField

Images = Float[Array, "image height width channel"]
Cut = Float[Array, "image cut_height cut_width channel"]
Features = Float[Array, "image row column feature"]
Counted = Float[Array, "image counted_row counted_column feature"]


class Part(NamedTuple):
    """Of one axis: the cut-out is pixels `start` to `stop`; units of pixels from `core` on count.

    They count up to those of pixel `core_stop`, or to the last where this is None. `core` and
    `start` are multiples of every layer's stride.
    """

    start: int
    stop: int
    core: int
    core_stop: int | None

    def units(self, stride: int) -> slice:
        """Of the map of the cut-out, at a layer's stride."""
        stop = None if self.core_stop is None else (self.core_stop - self.start) // stride
        return slice((self.core - self.start) // stride, stop)

    @property
    def inside(self) -> "Part":
        """The same in pixels of the cut-out: equal for tiles that differ in their place alone."""
        stop = None if self.core_stop is None else self.core_stop - self.start
        return Part(0, self.stop - self.start, self.core - self.start, stop)


class Tile(NamedTuple):
    rows: Part
    columns: Part

    @property
    def inside(self) -> "Tile":
        return Tile(self.rows.inside, self.columns.inside)

    def cut(self, images: Images) -> Cut:
        return images[:, self.rows.start : self.rows.stop, self.columns.start : self.columns.stop]

    def add(self, images: Images, cut: Cut) -> Images:
        rows, columns = self.rows, self.columns
        return images.at[:, rows.start : rows.stop, columns.start : columns.stop].add(cut)

    def units(self, features: Features, stride: tuple[int, int]) -> Counted:
        """Those that count, of the map that the cut-out gives."""
        return features[:, self.rows.units(stride[0]), self.columns.units(stride[1])]


def partition(size: int, tile: int, fields: Iterable[ReceptiveField]) -> tuple[Part, ...]:
    """Of one axis of `size` pixels, for units that see `fields`; one strides by all the others'.

    Each part's units have `tile` pixels, rounded down to the largest stride, those of the last more
    or less. A cut-out also holds what they see beyond. Raises ValueError for a tile smaller than
    the largest stride.
    """
    fields = tuple(fields)
    stride = max(field.stride for field in fields)
    if tile < stride:
        raise ValueError(f"a tile of {tile} pixels is less than a unit's stride of {stride}")
    core = tile // stride * stride
    starts = range(0, max(1, size - core // 2), core)
    parts = []
    for begin in starts:
        last = begin == starts[-1]
        first_seen = min(field.span(begin // field.stride)[0] for field in fields)
        end = max(field.span((begin + core) // field.stride - 1)[1] + 1 for field in fields)
        start = max(0, first_seen // stride * stride)
        # As far from the end as the whole is, in strides: padding may depend on what is left over.
        stop = size if last else size - max(0, size - end) // stride * stride
        parts.append(Part(start, stop, begin, None if last else begin + core))
    return tuple(parts)


def tile_grid(
    size: tuple[int, int],
    tile: int,
    rows: Iterable[ReceptiveField],
    columns: Iterable[ReceptiveField],
) -> tuple[Tile, ...]:
    """Row by row, for an image of (height, width) and the fields of all layers that are read."""
    down, across = partition(size[0], tile, rows), partition(size[1], tile, columns)
    return tuple(Tile(each, other) for each in down for other in across)


# Arguments, the cut-out, its tile -> a pytree of arrays with the images first: sums over places.
Sums = Callable[[Any, Cut, Tile], Any]


def of_sums(
    sums: Sums,
    tiles: Iterable[Tile],
    combine: Callable[[Any, Any], Float[Array, " image"]] | None = None,
) -> Callable[[Any, Images], Float[Array, " image"]]:
    """combine(arguments, sum over tiles of sums(arguments, cut-out, tile)), one value per image.

    Without `combine` the sums are the values, and one pass suffices; with it there are two: for the
    sums, then for their gradient. It can be differentiated with respect to the images alone, each
    value depending on its own image. Memory is that of one tile and a few whole images.
    """
    tiles = tuple(tiles)
    local = jax.jit(sums, static_argnums=2)

    def pulled(arguments, cut, weights, tile):
        values, pull = jax.vjp(lambda each: sums(arguments, each, tile), cut)
        return values, pull(jax.tree.map(jnp.ones_like, values) if weights is None else weights)[0]

    pulled = jax.jit(pulled, static_argnums=3)

    def totals(arguments, images):
        total = None
        for tile in tiles:
            found = local(arguments, _after(tile.cut(images), total), tile.inside)
            total = found if total is None else jax.tree.map(jnp.add, total, found)
        return total

    def gradients(arguments, images, weights):
        gradient, total = jnp.zeros_like(images), None
        for tile in tiles:
            cut = _after(tile.cut(images), (gradient, total) if total is not None else None)
            found, part = pulled(arguments, cut, weights, tile.inside)
            gradient = tile.add(gradient, part)
            total = found if total is None else jax.tree.map(jnp.add, total, found)
        return total, gradient

    @jax.custom_vjp
    def value(arguments, images):
        total = totals(arguments, images)
        return total if combine is None else combine(arguments, total)

    def forward(arguments, images):
        if combine is None:
            return gradients(arguments, images, None)
        found, pull = jax.vjp(lambda total: combine(arguments, total), totals(arguments, images))
        (weights,) = pull(jnp.ones_like(found))
        return found, gradients(arguments, images, weights)[1]

    def backward(gradient, cotangent):
        return None, cotangent.reshape(-1, 1, 1, 1) * gradient

    value.defvjp(forward, backward)
    return value


def _after(cut: Cut, earlier: Any) -> Cut:
    """The same, but not before `earlier` is known, so that the memory that took is free again.

    XLA's CPU backend forgets an optimization barrier before it orders the work.
    """
    if earlier is None:
        return cut
    return cut + sum(0.0 * each.ravel()[0] for each in jax.tree.leaves(earlier))
