"""Reads the faces and non-faces of MIT's Center for Biological and Computational Learning.

Source: CBCL Face Database 1, training set: 2,429 frontal faces and 4,548 other patches, gray, of
19 x 19 pixels, here scaled to 24 x 24. `cbcl-faces` holds them as idx files, as MNIST's are; label
1 is a face. There is no published checksum.
"""

from pathlib import Path

import numpy as np

from lecture_models.data import archives, idx
from lecture_models.data.dataset import DataAbsentError, DataError, Dataset, Provenance, Split
from lecture_models.data.pixels import images_from_uint8

FOLDER = "cbcl-faces"
FILES = ("faces-images-idx3-ubyte.gz", "faces-labels-idx1-ubyte.gz")
CLASSES = ("not a face", "face")
_TENTHS = 10  # Of ten examples in a row the ninth is for validation, the tenth for test.


def read(data_dir: Path) -> Dataset:
    """Returns the patches in the order of the file; of ten, eight are for training.

    Raises:
        DataAbsentError: neither file exists.
        DataError: a file is missing or damaged, or they do not fit each other.
    """
    folder = data_dir / FOLDER
    missing = [name for name in FILES if not (folder / name).is_file()]
    if len(missing) == len(FILES):
        raise DataAbsentError(f"{FOLDER}/{FILES[0]} does not exist in {data_dir}")
    if missing:
        raise DataError(f"{missing[0]} is missing in {folder}; add it, or delete the folder")
    (pixels, images_file), (labels, labels_file) = (
        _read_array(folder / name, rank) for name, rank in zip(FILES, (3, 1), strict=True)
    )
    if len(pixels) != len(labels) or not np.isin(labels, (0, 1)).all():
        raise DataError(
            f"{folder} holds {len(pixels)} images and {len(labels)} labels from {labels.min()} to "
            f"{labels.max()}; there must be one label for each image, 0 or 1"
        )
    everything = Split.labeled_images(images_from_uint8(pixels[..., None]), labels.astype(np.int32))
    place = np.arange(len(labels)) % _TENTHS
    return Dataset(
        everything.select(place < _TENTHS - 2),
        everything.select(place == _TENTHS - 2),
        everything.select(place == _TENTHS - 1),
        CLASSES,
        Provenance("cbcl_faces", "idx files", (images_file, labels_file), "19x19 scaled to 24x24"),
    )


def _read_array(path: Path, rank: int):
    content, record = archives.read_unpacked(path)
    return idx.parse(content, rank, path), record
