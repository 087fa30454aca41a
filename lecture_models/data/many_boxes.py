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

from lecture_models.data import archives
from lecture_models.data.csv_cells import Line, finite_number, read_csv
from lecture_models.data.dataset import DataAbsentError, DataError, Dataset, Provenance, Split
from lecture_models.data.packed_pictures import decode_picture
from lecture_models.data.ragged import Ragged

FOLDER = "bccd"
WIDTH, HEIGHT = 320, 240
CLASSES = ("RBC", "WBC", "Platelets")
NAMES = ("red cell", "white cell", "platelet")
SPLITS = ("train", "val", "test")
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
    table, packed = data_dir / FOLDER / "boxes.csv", data_dir / FOLDER / "images.tar.gz"
    if not table.is_file():
        raise DataAbsentError(f"{FOLDER}/{table.name} does not exist in {data_dir}")
    lines, table_file = read_csv(table)
    if not lines or lines[0].cells != _HEADER:
        raise DataError(f"{table} must begin with the line {','.join(_HEADER)}")
    content, packed_file = archives.read_unpacked(packed)
    files = dict(archives.tar_files(content, packed))
    parts: dict[str, dict[str, list]] = {split: {} for split in SPLITS}
    for line in lines[1:]:
        name, split = line.cells[:2]
        if split not in SPLITS:
            raise DataError(f"{table}, line {line.number}: {split!r} must be one of {SPLITS}")
        parts[split].setdefault(name, []).append(_box_of(line, table))
    splits = []
    for split, photos in parts.items():
        if not photos:
            raise DataError(f"{table} names no photo of the split {split}")
        pixels = [_decoded(files, name, packed) for name in photos]
        boxes = [np.stack([box for box, _ in objects]) for objects in photos.values()]
        labels = [np.array([label for _, label in objects]) for objects in photos.values()]
        splits.append(many_boxes_split(np.stack(pixels), boxes, labels))
    note = "not every cell is annotated: cells that overlap or are cut off are often missing"
    provenance = Provenance("bccd", "resized photos", (table_file, packed_file), note)
    return Dataset(*splits, NAMES, provenance)


def _decoded(files: dict[str, bytes], name: str, packed: Path) -> np.ndarray:
    member = f"images/{name}.jpg"
    if member not in files:
        raise DataError(f"{packed} lacks {member}, which the list of boxes names")
    return decode_picture(files[member], f"{packed}: {member}", (HEIGHT, WIDTH, 3), "JPEG")


def _box_of(line: Line, table: Path) -> tuple[np.ndarray, int]:
    """Returns the edges of a line's box as shares of the sides, and its class."""
    name, where = line.cells[2], f"{table}, line {line.number}"
    if name not in CLASSES:
        raise DataError(f"{where}: the class {name!r} must be one of {', '.join(CLASSES)}")
    left, top, right, bottom = (finite_number(cell, table, line.number) for cell in line.cells[3:])
    if not (0 <= left < right <= WIDTH and 0 <= top < bottom <= HEIGHT):
        raise DataError(
            f"{where}: the box {left:g}, {top:g}, {right:g}, {bottom:g} must have an area and lie "
            f"in the photo of {WIDTH}x{HEIGHT}"
        )
    edges = [top / HEIGHT, left / WIDTH, bottom / HEIGHT, right / WIDTH]
    return np.array(edges, np.float32), CLASSES.index(name)
