"""Reads photos of known ImageNet classes, one of every fifth class.

The folder `imagenet-samples` holds `images/*.jpg` and `labels.csv`, a table with the columns `file`
and `class_index`, the index of a class in the usual order of ILSVRC 2012. Neither has a published
checksum. Source: a selection of ImageNet's photos, for non-commercial research and teaching.
"""

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
LABELS = "labels.csv"


class Photos(NamedTuple):
    """Holds the central squares of photos, and the indices of their classes."""

    pixels: UInt8[np.ndarray, "photo side side 3"]
    labels: Int32[np.ndarray, " photo"]


def read_photos(data_dir: Path, side: int) -> Photos:
    """Returns every photo of the list.

    Args:
        data_dir: the folder that holds `imagenet-samples`.
        side: height and width, in pixels, to which the central squares are resized.

    Raises:
        DataAbsentError: the list does not exist.
        DataError: the list is damaged or empty, or a photo cannot be read.
    """
    folder = data_dir / FOLDER
    if not (folder / LABELS).is_file():
        raise DataAbsentError(f"{FOLDER}/{LABELS} does not exist in {data_dir}")
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
    # Pillow decodes without holding Python's lock, so threads use every core.
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        squares = pool.map(functools.partial(read, shorter_side=side, square=True), paths)
        return Photos(np.stack([photo.pixels for photo in squares]), labels)
