"""The patches that activate a channel most, cut to the receptive field of the unit."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Int

from lecture_models.metrics.receptive_field import ReceptiveField
from lecture_models.metrics.traced_field import Fields

Picture = Float[np.ndarray, "height width channel"]
Patch = Float[np.ndarray, "patch_height patch_width channel"]


class Peaks(NamedTuple):
    """The largest activation of each channel in each picture, and the unit that has it."""

    values: Float[Array | np.ndarray, "picture channel"]
    rows: Int[Array | np.ndarray, "picture channel"]
    columns: Int[Array | np.ndarray, "picture channel"]


class Strongest(NamedTuple):
    """The pictures with the largest peaks of each channel, in falling order."""

    values: Float32[np.ndarray, "rank channel"]
    pictures: Int[np.ndarray, "rank channel"]
    rows: Int[np.ndarray, "rank channel"]
    columns: Int[np.ndarray, "rank channel"]


class Span(NamedTuple):
    """Pixels `first` to `last`, both included; they may lie outside the picture."""

    first: int
    last: int

    def clipped(self, side: int) -> "Span":
        return Span(max(self.first, 0), min(self.last, side - 1))


class Box(NamedTuple):
    """What a unit can see of a picture."""

    rows: Span
    columns: Span


def peaks(maps: Float[Array, "picture row column channel"]) -> Peaks:
    """Of equal maxima the first, row by row."""
    count, _, width, channels = maps.shape
    flat = maps.reshape(count, -1, channels)
    places = jnp.argmax(flat, axis=1)
    return Peaks(flat.max(axis=1), places // width, places % width)


def strongest(found: Peaks, first_picture: int, top: int, before: Strongest | None) -> Strongest:
    """The `top` pictures of each channel among those of a batch and those found `before`.

    A picture counts once, at its peak: neighboring units see nearly the same. `first_picture` is
    the number of the batch's first one. Of equal peaks the earlier picture is ahead. Raises
    ValueError for `top` below 1.
    """
    if top < 1:
        raise ValueError(f"top is {top}; it must be at least 1")
    values, rows, columns = (np.asarray(each) for each in found)
    numbers = first_picture + np.arange(len(values), dtype=np.int64)
    pictures = np.broadcast_to(numbers[:, None], values.shape)
    batch = Strongest(values.astype(np.float32), pictures, rows, columns)
    if before is not None:
        batch = Strongest(*map(np.concatenate, zip(before, batch, strict=True)))
    order = np.argsort(-batch.values, axis=0, kind="stable")[:top]
    return Strongest(*(np.take_along_axis(each, order, axis=0) for each in batch))


def receptive_box(fields: Fields, row: int, column: int, height: int, width: int) -> Box:
    """The receptive field of the unit at (row, column); the picture where it sees all of it.

    It reaches over the edge where the unit sees padding: see `crop`.
    """
    return Box(_span(fields.rows, row, height), _span(fields.columns, column, width))


def _span(field: ReceptiveField | None, unit: int, side: int) -> Span:
    return Span(0, side - 1) if field is None else Span(*field.span(unit))


def crop(picture: Picture, box: Box, fill: float = 0.0) -> Patch:
    """The pixels of the box, those outside the picture `fill`.

    Raises ValueError where no pixel of the box is in the picture.
    """
    patch = np.full((*_sides(box), picture.shape[-1]), fill, picture.dtype)
    rows, columns = _inside(picture, box)
    top, left = rows.first - box.rows.first, columns.first - box.columns.first
    content = picture[rows.first : rows.last + 1, columns.first : columns.last + 1]
    patch[top : top + content.shape[0], left : left + content.shape[1]] = content
    return patch


def in_place(patch: Patch, box: Box, height: int, width: int, around: float = 0.0) -> Picture:
    """A picture with the patch where it was cut, and `around` everywhere else.

    The unit whose receptive field the box is has the same activation there as in the picture that
    the patch is from: it sees nothing else, and the network pads at the same edges. A crop alone
    has other edges, and units at other places: a stride's phase is lost.

    Raises ValueError where the patch has not the size of the box.
    """
    if patch.shape[:2] != _sides(box):
        raise ValueError(f"the patch has shape {patch.shape}; its box is {box}")
    picture = np.full((height, width, patch.shape[-1]), around, patch.dtype)
    rows, columns = _inside(picture, box)
    top, left = rows.first - box.rows.first, columns.first - box.columns.first
    picture[rows.first : rows.last + 1, columns.first : columns.last + 1] = patch[
        top : top + rows.last - rows.first + 1, left : left + columns.last - columns.first + 1
    ]
    return picture


def _sides(box: Box) -> tuple[int, int]:
    return box.rows.last - box.rows.first + 1, box.columns.last - box.columns.first + 1


def _inside(picture: Picture, box: Box) -> Box:
    height, width, _ = picture.shape
    inside = Box(box.rows.clipped(height), box.columns.clipped(width))
    if any(span.first > span.last for span in inside):
        raise ValueError(f"{box} has no pixel in a picture of {height}x{width}")
    return inside
