"""Finds the image patches that activate a channel most, cut to the receptive field of the unit.

Zeiler and Fergus, 2014, Visualizing and understanding convolutional networks, section 4.1.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Int

from lecture_models.metrics.receptive_field import ReceptiveField
from lecture_models.metrics.traced_field import ReceptiveFields

Image = Float[np.ndarray, "height width channel"]
Patch = Float[np.ndarray, "patch_height patch_width channel"]


class Peaks(NamedTuple):
    """Holds the largest activation of each channel in each image.

    Attributes:
        values: the activations, (image, channel).
        rows: row of the unit that has it, counted in the feature map.
        columns: column of that unit.
    """

    values: Float[Array | np.ndarray, "image channel"]
    rows: Int[Array | np.ndarray, "image channel"]
    columns: Int[Array | np.ndarray, "image channel"]


class TopPeaks(NamedTuple):
    """Holds the images with the largest peaks of each channel, in decreasing order of the peaks.

    Attributes:
        values: the activations, (rank, channel).
        images: index of the image of each peak.
        rows: row of the unit that has the peak, counted in the feature map.
        columns: column of that unit.
    """

    values: Float32[np.ndarray, "rank channel"]
    images: Int[np.ndarray, "rank channel"]
    rows: Int[np.ndarray, "rank channel"]
    columns: Int[np.ndarray, "rank channel"]


class PixelSpan(NamedTuple):
    """Describes pixels `first` to `last` of one axis, both included; they may lie outside."""

    first: int
    last: int

    def clipped(self, side: int) -> "PixelSpan":
        """Returns the part of the span inside an image with `side` pixels along this axis."""
        return PixelSpan(max(self.first, 0), min(self.last, side - 1))


class PatchBox(NamedTuple):
    """Describes the rectangle of pixels that a unit sees."""

    rows: PixelSpan
    columns: PixelSpan


def peaks(maps: Float[Array, "image row column channel"]) -> Peaks:
    """Returns the largest activation of each channel in each image.

    Args:
        maps: feature maps, (image, row, column, channel).

    Returns:
        The peaks; of equal maxima the first one, row by row.
    """
    count, _, width, channels = maps.shape
    flat = maps.reshape(count, -1, channels)
    places = jnp.argmax(flat, axis=1)
    return Peaks(flat.max(axis=1), places // width, places % width)


def top_peaks(batch: Peaks, first_image: int, top: int, earlier: TopPeaks | None) -> TopPeaks:
    """Returns the images with the largest peaks among a batch and the earlier ones.

    An image counts once per channel, at its peak, because neighboring units see nearly the same
    pixels. Of equal peaks, that of the earlier image ranks first.

    Args:
        batch: the peaks of a batch.
        first_image: index of the first image of the batch.
        top: number of images to keep per channel.
        earlier: the result for all earlier batches; None for the first batch.

    Returns:
        The largest peaks; fewer than `top` if there are fewer images.

    Raises:
        ValueError: if `top` is below 1.
    """
    if top < 1:
        raise ValueError(f"top is {top}; it must be at least 1")
    values, rows, columns = (np.asarray(array) for array in batch)
    indices = first_image + np.arange(len(values), dtype=np.int64)
    images = np.broadcast_to(indices[:, None], values.shape)
    candidates = TopPeaks(values.astype(np.float32), images, rows, columns)
    if earlier is not None:
        candidates = TopPeaks(*map(np.concatenate, zip(earlier, candidates, strict=True)))
    order = np.argsort(-candidates.values, axis=0, kind="stable")[:top]
    return TopPeaks(*(np.take_along_axis(array, order, axis=0) for array in candidates))


def receptive_box(
    fields: ReceptiveFields, row: int, column: int, height: int, width: int
) -> PatchBox:
    """Returns the receptive field of one unit.

    Args:
        fields: the receptive fields of the unit's layer along both axes; None along an axis if its
            units may see all pixels.
        row: row of the unit in the feature map.
        column: column of the unit in the feature map.
        height: height of the image in pixels.
        width: width of the image in pixels.

    Returns:
        The box in pixels. It extends beyond the image where the unit sees padding.
    """
    return PatchBox(_span(fields.rows, row, height), _span(fields.columns, column, width))


def _span(field: ReceptiveField | None, unit: int, side: int) -> PixelSpan:
    return PixelSpan(0, side - 1) if field is None else PixelSpan(*field.span(unit))


def crop(image: Image, box: PatchBox, fill: float = 0.0) -> Patch:
    """Returns the pixels of a box.

    Args:
        image: the image, (height, width, channel).
        box: the box, which may extend beyond the image.
        fill: the value of pixels outside of the image.

    Returns:
        The patch, of the size of the box.

    Raises:
        ValueError: if no pixel of the box is inside the image.
    """
    patch = np.full((*_sides(box), image.shape[-1]), fill, image.dtype)
    rows, columns = _inside(image, box)
    top, left = rows.first - box.rows.first, columns.first - box.columns.first
    content = image[rows.first : rows.last + 1, columns.first : columns.last + 1]
    patch[top : top + content.shape[0], left : left + content.shape[1]] = content
    return patch


def in_place(patch: Patch, box: PatchBox, height: int, width: int, around: float = 0.0) -> Image:
    """Returns an image of one value that shows a patch where it was cut.

    If the box is the receptive field of a unit, the unit has the same activation in this image as
    in the image that the patch was cut from: it sees no other pixels, and the network pads at the
    same edges. The patch alone would not do, because it has other edges, and shifts the positions
    that a stride selects.

    Args:
        patch: the patch, of the size of the box.
        box: where it was cut, in pixels.
        height: height of the image in pixels.
        width: width of the image in pixels.
        around: the value of all other pixels.

    Returns:
        The image, (height, width, channel).

    Raises:
        ValueError: if the patch does not have the size of the box, or the box lies outside of the
            image.
    """
    if patch.shape[:2] != _sides(box):
        rows, columns = _sides(box)
        raise ValueError(
            f"the patch has shape {patch.shape}; its box has {rows}x{columns} pixels: {box}"
        )
    image = np.full((height, width, patch.shape[-1]), around, patch.dtype)
    rows, columns = _inside(image, box)
    top, left = rows.first - box.rows.first, columns.first - box.columns.first
    image[rows.first : rows.last + 1, columns.first : columns.last + 1] = patch[
        top : top + rows.last - rows.first + 1, left : left + columns.last - columns.first + 1
    ]
    return image


def _sides(box: PatchBox) -> tuple[int, int]:
    return box.rows.last - box.rows.first + 1, box.columns.last - box.columns.first + 1


def _inside(image: Image, box: PatchBox) -> PatchBox:
    height, width, _ = image.shape
    inside = PatchBox(box.rows.clipped(height), box.columns.clipped(width))
    if any(span.first > span.last for span in inside):
        raise ValueError(f"no pixel of {box} is inside an image of {height}x{width} pixels")
    return inside
