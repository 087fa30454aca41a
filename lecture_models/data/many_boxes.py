"""Reads pictures with any number of objects each, their classes and their boxes.

A split has `pixels`, uint8 RGB, (example, height, width, 3); `boxes`, a `Ragged` of float32 (4,):
top, left, bottom and right edge as shares of the sides; and `box_labels`, a `Ragged` of int32.

Source: BCCD, blood cells under the microscope, in `bccd/`: `images.tar.gz` with 364 photos of
320x240 pixels and `boxes.csv`. The split is the source's. Not every cell is annotated: cells that
overlap or are cut off are often missing. There is no published checksum.
"""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from lecture_models.data.csv_cells import Line, finite_number
from lecture_models.data.dataset import DataError, Dataset, Provenance, Split
from lecture_models.data.listed_archive import ListedArchive, open_listed
from lecture_models.data.packed_pictures import decode_picture
from lecture_models.data.ragged import Ragged

FOLDER = "bccd"
WIDTH, HEIGHT = 320, 240
CLASSES = ("RBC", "WBC", "Platelets")
NAMES = ("red cell", "white cell", "platelet")
_HEADER = ("file", "split", "class", "xmin", "ymin", "xmax", "ymax")


def many_boxes_split(
    pixels: UInt8[np.ndarray, "example height width 3"],
    boxes: list[np.ndarray],
    labels: list[np.ndarray],
) -> Split:
    """Returns a split of pictures with any number of boxes each.

    Raises:
        DataError: there is no object in any picture.
    """
    if not sum(map(len, boxes)):
        raise DataError(f"none of {len(pixels)} pictures has an object")
    shaped = [np.reshape(edges, (-1, 4)) for edges in boxes]
    return Split(
        {
            "pixels": pixels,
            "boxes": Ragged.from_sequences(shaped, np.float32),
            "box_labels": Ragged.from_sequences(labels, np.int32),
        }
    )


def read_bccd(data_dir: Path) -> Dataset:
    """Returns the photos of blood cells, in the source's split.

    Raises:
        DataAbsentError: the list of boxes does not exist.
        DataError: a file is damaged, a class is unknown, or a box is empty or outside of its photo.
    """
    listed = open_listed(data_dir / FOLDER, "boxes.csv", "images.tar.gz", _HEADER)
    splits = []
    for lines in listed.by_split("photo").values():
        photos: dict[str, list] = {}
        for line in lines:
            photos.setdefault(line.cells[0], []).append(_box_of(line, listed))
        pixels = [_decoded(listed, name) for name in photos]
        boxes = [np.stack([box for box, _ in objects]) for objects in photos.values()]
        labels = [np.array([label for _, label in objects]) for objects in photos.values()]
        splits.append(many_boxes_split(np.stack(pixels), boxes, labels))
    note = "not every cell is annotated: cells that overlap or are cut off are often missing"
    return Dataset(*splits, NAMES, Provenance("bccd", "resized photos", listed.files, note))


def _decoded(listed: ListedArchive, name: str) -> np.ndarray:
    member = f"images/{name}.jpg"
    where = f"{listed.packed}: {member}"
    return decode_picture(listed.member(member), where, (HEIGHT, WIDTH, 3), "JPEG")


def _box_of(line: Line, listed: ListedArchive) -> tuple[np.ndarray, int]:
    """Returns the edges of a line's box as shares of the sides, and its class."""
    name, where = line.cells[2], listed.where(line)
    if name not in CLASSES:
        raise DataError(f"{where}: the class {name!r} must be one of {', '.join(CLASSES)}")
    left, top, right, bottom = (
        finite_number(cell, listed.table, line.number) for cell in line.cells[3:]
    )
    if not (0 <= left < right <= WIDTH and 0 <= top < bottom <= HEIGHT):
        raise DataError(
            f"{where}: the box {left:g}, {top:g}, {right:g}, {bottom:g} must have an area and lie "
            f"in the photo of {WIDTH}x{HEIGHT}"
        )
    edges = [top / HEIGHT, left / WIDTH, bottom / HEIGHT, right / WIDTH]
    return np.array(edges, np.float32), CLASSES.index(name)
