"""Reads the faces of AT&T Laboratories Cambridge (ORL): 40 people, ten gray pictures of each.

Source: F. Samaria and A. Harter, "Parameterization of a stochastic model for human face
identification", 1994. The folder `att-faces` holds `s1` to `s40`, one folder a person, with the
files `1.pgm` to `10.pgm` of 92 x 112 pixels. There is no published checksum.
"""

import hashlib
from pathlib import Path

import numpy as np

from lecture_models.data.archives import read_file
from lecture_models.data.dataset import (
    DataAbsentError,
    DataError,
    DataFile,
    Dataset,
    Provenance,
    Split,
)
from lecture_models.data.packed_pictures import decode_picture
from lecture_models.data.pixels import images_from_uint8

FOLDER = "att-faces"
PEOPLE, PICTURES = 40, 10
SHAPE = (112, 92, 1)
# Pictures 1 to 6 of a person are for training, 7 and 8 for validation, 9 and 10 for test.
_LAST_TRAIN, _LAST_VALIDATION = 6, 8


def read(data_dir: Path) -> Dataset:
    """Returns the faces: person after person, the pictures of each in the order of their numbers.

    Beside images and labels there is `pictures`, the number of a picture from 1 to 10.

    Raises:
        DataAbsentError: the folder does not exist.
        DataError: a file is missing or damaged.
    """
    folder = data_dir / FOLDER
    if not folder.is_dir():
        raise DataAbsentError(f"{FOLDER} does not exist in {data_dir}")
    pixels, digests = [], []
    for person in range(1, PEOPLE + 1):
        for number in range(1, PICTURES + 1):
            path = folder / f"s{person}" / f"{number}.pgm"
            if not path.is_file():
                raise DataError(f"{path} is missing; fetch {FOLDER} again")
            content, record = read_file(path)
            pixels.append(decode_picture(content, str(path), SHAPE, "PPM"))
            digests.append(record.sha256)
    labels, numbers = np.divmod(np.arange(PEOPLE * PICTURES, dtype=np.int32), np.int32(PICTURES))
    everything = Split(
        {
            "images": images_from_uint8(np.stack(pixels)),
            "labels": labels,
            "pictures": numbers + np.int32(1),
        }
    )
    whole = hashlib.sha256("\n".join(digests).encode()).hexdigest()
    train, validation = numbers < _LAST_TRAIN, numbers < _LAST_VALIDATION
    return Dataset(
        everything.select(train),
        everything.select(validation & ~train),
        everything.select(~validation),
        tuple(f"s{person}" for person in range(1, PEOPLE + 1)),
        Provenance("att_faces", "original files", (DataFile(folder, whole),)),
    )
