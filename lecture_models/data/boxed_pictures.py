"""Reads pictures with one object each, its class and its box.

A split has `pixels`, uint8 RGB, (example, side, side, 3): whole pictures, squeezed into a square;
`boxes`, float32, (example, 4): top, left, bottom and right edge as shares of the sides; `masks`,
uint8, (example, side, side), 1 for the object; and `labels`.

Source: the horses of Borenstein and Ullman, 2002, 327 photos with masks, in `weizmann-horses/`:
`horses.csv` has the boxes of the masks, and `pairs.tar.gz` photos and masks. Every tenth training
photo validates. There is no published checksum.
"""

import io
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int, UInt8
from PIL import Image, UnidentifiedImageError

from lecture_models.data.csv_cells import finite_number
from lecture_models.data.dataset import DataError, Dataset, Provenance, Split
from lecture_models.data.joint_views import resized
from lecture_models.data.label_maps import binary_mask, decode_map
from lecture_models.data.listed_archive import open_listed

FOLDER = "weizmann-horses"
SIDE = 224  # Pixels.
PERIOD = 10
_HEADER = ("file", "split", "width", "height", "xmin", "ymin", "xmax", "ymax")


def boxed_split(
    pixels: UInt8[np.ndarray, "example side side 3"],
    boxes: Float32[np.ndarray, "example 4"],
    masks: UInt8[np.ndarray, "example side side"],
    labels: Int[np.ndarray, " example"],
) -> Split:
    """Returns a split of square pictures with one box and one mask each."""
    labels = labels.astype(np.int32)
    return Split({"pixels": pixels, "boxes": boxes, "masks": masks, "labels": labels})


def read_horses(data_dir: Path) -> Dataset:
    """Returns the photos of horses, in the source's split.

    Raises:
        DataAbsentError: the list of boxes does not exist.
        DataError: a file is damaged, or a box is empty or outside of its photo.
    """
    listed = open_listed(data_dir / FOLDER, "horses.csv", "pairs.tar.gz", _HEADER)
    pixels, boxes, masks, splits = [], [], [], []
    for line in listed.lines:
        name, split, *cells = line.cells
        if split not in ("train", "test"):
            raise DataError(f"{listed.where(line)}: {split!r} must be train or test")
        width, height, *edges = (finite_number(cell, listed.table, line.number) for cell in cells)
        boxes.append(_relative(edges, width, height, listed.where(line)))
        photo, mask = f"images/{name}.jpg", f"masks/{name}.png"
        pixels.append(squeezed(listed.member(photo), f"{listed.packed}: {photo}"))
        where = f"{listed.packed}: {mask}"
        values = decode_map(listed.member(mask), where, (int(width), int(height)))
        masks.append(squeezed_mask(binary_mask(values, where)))
        splits.append(split)
    labels = np.zeros(len(boxes), np.int32)
    whole = boxed_split(np.stack(pixels), np.stack(boxes), np.stack(masks), labels)
    is_test = np.array(splits) == "test"
    in_training = np.cumsum(~is_test) - 1
    held_out = ~is_test & (in_training % PERIOD == PERIOD - 1)
    provenance = Provenance("weizmann_horses", "original photos, scaled", listed.files, "one class")
    parts = (~is_test & ~held_out, held_out, is_test)
    return Dataset(*(whole.select(part) for part in parts), ("horse",), provenance)


def squeezed(content: bytes, name: str) -> UInt8[np.ndarray, "side side 3"]:
    """Returns the pixels of a picture file at SIDE x SIDE pixels, whatever its aspect ratio."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            picture = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise DataError(f"{name} cannot be decoded as a picture") from error
    return np.asarray(picture)


def squeezed_mask(mask: UInt8[np.ndarray, "height width"]) -> UInt8[np.ndarray, "side side"]:
    """Returns a mask of 0 and 1 at SIDE x SIDE pixels, 1 where at least half of a pixel is."""
    return (resized(255 * mask, (SIDE, SIDE)) >= 128).astype(np.uint8)


def _relative(edges: list[float], width: float, height: float, where: str) -> np.ndarray:
    """Returns top, left, bottom and right as shares of the sides."""
    left, top, right, bottom = edges
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise DataError(
            f"{where}: the box {left:g}, {top:g}, {right:g}, {bottom:g} must have an area and lie "
            f"in the picture of {width:g}x{height:g}"
        )
    return np.array([top / height, left / width, bottom / height, right / width], np.float32)
