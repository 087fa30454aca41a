"""Photos of known ImageNet classes, one for every fifth class: a folder with a list of labels."""

import concurrent.futures
import csv
import functools
import io
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32, UInt8

from lecture_models.data.archives import read_file
from lecture_models.data.dataset import DataAbsentError, DataError
from lecture_models.data.picture import read

FOLDER = "imagenet-samples"
LABELS = "labels.csv"  # With the columns file and class_index.


class Photos(NamedTuple):
    """Central squares, and class indices in the usual order of ILSVRC 2012."""

    pixels: UInt8[np.ndarray, "photo side side 3"]
    labels: Int32[np.ndarray, " photo"]


def read_photos(data_dir: Path, side: int) -> Photos:
    """Every photo of the list, its shorter side resized to `side`.

    Raises DataAbsentError where there is no list, and DataError where it is damaged or a photo of
    it cannot be read.
    """
    folder = data_dir / FOLDER
    if not (folder / LABELS).is_file():
        raise DataAbsentError(f"there is no {FOLDER}/{LABELS} in {data_dir}")
    content, _ = read_file(folder / LABELS)
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"))))
        paths = [folder / "images" / row["file"] for row in rows]
        labels = np.array([int(row["class_index"]) for row in rows], np.int32)
    except (UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{folder / LABELS} is damaged ({type(error).__name__}: {error})"
        ) from error
    if not paths:
        raise DataError(f"{folder / LABELS} lists no photos")
    # One after the other would leave a core idle: Pillow decodes outside Python's lock.
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        squares = pool.map(functools.partial(read, shorter_side=side, square=True), paths)
        return Photos(np.stack([photo.pixels for photo in squares]), labels)
