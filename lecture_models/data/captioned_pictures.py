"""Reads pictures with several captions each.

A split has `pixels`, uint8 RGB, (example, side, side, 3): the central square of each picture; and
`captions`, for each picture a tuple of equally many texts.

Source: Flickr8k (Hodosh, Young and Hockenmaier, 2013): `flickr8k/captions.txt.gz`, a table of the
columns image and caption, and the pictures in `flickr8k/images/`. Pictures that are not in the
folder are left out with their captions. The SHA-256 of a picture's name decides its split: one in
ten validates, one in ten tests. The official split names pictures that a part of the data lacks.
"""

import csv
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from lecture_models.data import picture
from lecture_models.data.archives import read_unpacked
from lecture_models.data.characters import decode
from lecture_models.data.dataset import (
    DataAbsentError,
    DataError,
    DataFile,
    Dataset,
    Provenance,
    Split,
)
from lecture_models.data.listing import count_of

FOLDER = "flickr8k"
SIDE = 224  # Pixels.
PERIOD = 10
CAPTIONS = 5  # Of each picture.
LEAST_PICTURES = 10

Pixels = UInt8[np.ndarray, "picture side side 3"]


def captioned_split(pixels: Pixels, captions: Sequence[tuple[str, ...]]) -> Split:
    """Returns a split of square pictures and their captions."""
    array = np.empty(len(captions), object)
    array[:] = captions
    return Split({"pixels": pixels, "captions": array})


def read(data_dir: Path) -> Dataset:
    """Returns the pictures of Flickr8k that are at hand.

    Raises:
        DataAbsentError: the table of captions does not exist.
        DataError: the table is damaged, a picture has another number of captions than five or
            cannot be read, or there are fewer than `LEAST_PICTURES` pictures.
    """
    table, folder = data_dir / FOLDER / "captions.txt.gz", data_dir / FOLDER / "images"
    if not table.is_file():
        raise DataAbsentError(f"{FOLDER}/{table.name} does not exist in {data_dir}")
    if not folder.is_dir():
        raise DataError(f"{folder} does not exist, although {table.name} does; fetch it again")
    captions, table_file = _read_table(table)
    paths = sorted(path for path in folder.iterdir() if path.name in captions)
    if len(paths) < LEAST_PICTURES:
        raise DataError(
            f"{folder} has {count_of(len(paths), 'picture')} that {table.name} names; at least "
            f"{LEAST_PICTURES} are needed"
        )
    for path in paths:
        if len(captions[path.name]) != CAPTIONS:
            raise DataError(
                f"{table} has {count_of(len(captions[path.name]), 'caption')} of {path.name}; it "
                f"must have {CAPTIONS}"
            )
    pictures = [picture.read(path, SIDE, square=True) for path in paths]
    files = (table_file, DataFile(folder, picture.digest(pictures)))
    left_out = len(captions) - len(paths)
    note = f"{len(paths):,} of {len(captions):,} pictures; split by their names"
    provenance = Provenance("flickr8k", "original captions", files, note if left_out else "")
    pixels = np.stack([file.pixels for file in pictures])
    whole = captioned_split(pixels, [tuple(captions[path.name]) for path in paths])
    place = np.array([_place(path.name) for path in paths])
    parts = (place >= 2, place == 1, place == 0)
    return Dataset(*(whole.select(part) for part in parts), (), provenance)


def _place(name: str) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % PERIOD


def _read_table(path: Path) -> tuple[dict[str, list[str]], DataFile]:
    """Returns the captions of each picture, by its file name."""
    content, file = read_unpacked(path)
    rows = csv.reader(io.StringIO(decode(content, path), newline=""), strict=True)
    captions: dict[str, list[str]] = {}
    try:
        for row in rows:
            if rows.line_num == 1 and row != ["image", "caption"]:
                raise DataError(
                    f"{path}, line 1 is {','.join(row)[:60]!r}; it must be image,caption"
                )
            if rows.line_num == 1 or not row:
                continue
            if len(row) != 2 or not row[0].strip() or not row[1].strip():
                raise DataError(
                    f"{path}, line {rows.line_num} must have two cells: the name of a picture and "
                    "its caption"
                )
            captions.setdefault(row[0], []).append(row[1].strip())
    except csv.Error as error:
        raise DataError(f"{path}, line {rows.line_num} is not CSV: {error}") from error
    return captions, file
