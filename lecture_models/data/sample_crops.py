"""Cuts squares from the photos that scikit-image and scikit-learn ship, which need no download.

They take the place of `bsds_crops` where it is absent. None of the photos shows a person.
"""

import numpy as np

from lecture_models.data.dataset import (
    DataAbsentError,
    DataError,
    DataFile,
    Dataset,
    Provenance,
    Split,
)
from lecture_models.data.picture import read as read_picture
from lecture_models.data.pixels import images_from_uint8
from lecture_models.data.sample_pictures import sample_file

PHOTOS = ("china", "flower", "chelsea", "coffee", "rocket")
SIDE, SHORTER_SIDE = 224, 280


def read() -> Dataset:
    """Returns four squares of each of five photos: three photos for training, then one and one.

    Raises:
        DataAbsentError: a package that ships the photos is not installed.
    """
    squares, files = [], []
    for name in PHOTOS:
        try:
            photo = read_picture(sample_file(name), SHORTER_SIDE)
        except DataError as error:
            raise DataAbsentError(str(error)) from error
        files.append(DataFile(photo.path, photo.sha256))
        height, width, _ = photo.pixels.shape
        squares += [
            photo.pixels[top : top + SIDE, left : left + SIDE]
            for top in (0, height - SIDE)
            for left in (0, width - SIDE)
        ]
    everything = Split({"images": images_from_uint8(np.stack(squares))})
    return Dataset(
        everything.select(slice(12)),
        everything.select(slice(12, 16)),
        everything.select(slice(16, None)),
        (),
        Provenance("sample_crops", "photos that packages ship", tuple(files)),
    )
