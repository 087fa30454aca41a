"""Reads the Yale faces: 15 people in 11 conditions, lights, glasses and moods, in gray.

Source: P. Belhumeur, J. Hespanha and D. Kriegman, "Eigenfaces vs. Fisherfaces: recognition using
class specific linear projection", IEEE TPAMI 19, 1997. The file `yale-faces/images.tar.gz` holds
`<person>_<condition>.png` of 160 x 122 pixels, scaled from 320 x 243; one of the 165 is missing.
There is no published checksum.
"""

import re
from pathlib import Path

import numpy as np

from lecture_models.data.dataset import DataAbsentError, DataError, Dataset, Provenance, Split
from lecture_models.data.packed_pictures import read_pictures
from lecture_models.data.pixels import images_from_uint8

FILE = "yale-faces/images.tar.gz"
SHAPE = (122, 160, 1)
CONDITIONS = (
    *("centerlight", "glasses", "happy", "leftlight", "noglasses", "normal", "rightlight"),
    *("sad", "sleepy", "surprised", "wink"),
)
_VALIDATION, _TEST = ("sad", "sleepy"), ("surprised", "wink")
_NAME = re.compile(rf"(\d\d)_({'|'.join(CONDITIONS)})\.png")


def read(data_dir: Path) -> Dataset:
    """Returns the faces; sad and sleepy ones are for validation, surprised and winking for test.

    Beside images and labels there is `conditions`, whose names are in the vocabularies.

    Raises:
        DataAbsentError: the file does not exist.
        DataError: the file is damaged, or holds a file of another name.
    """
    path = data_dir / FILE
    if not path.is_file():
        raise DataAbsentError(f"{FILE} does not exist in {data_dir}")
    pictures, record = read_pictures(path, SHAPE, "PNG")
    matches = [_NAME.fullmatch(name) for name in pictures]
    for name, match in zip(pictures, matches, strict=True):
        if match is None:
            raise DataError(
                f"{path} holds {name!r}; every name must be <two digits>_<condition>.png"
            )
    people = sorted({match[1] for match in matches})
    conditions = np.array([CONDITIONS.index(match[2]) for match in matches], np.int32)
    everything = Split(
        {
            "images": images_from_uint8(np.stack(list(pictures.values()))),
            "labels": np.array([people.index(match[1]) for match in matches], np.int32),
            "conditions": conditions,
        }
    )
    validation = np.isin(conditions, [CONDITIONS.index(name) for name in _VALIDATION])
    test = np.isin(conditions, [CONDITIONS.index(name) for name in _TEST])
    return Dataset(
        everything.select(~validation & ~test),
        everything.select(validation),
        everything.select(test),
        tuple(people),
        Provenance(
            "yale_faces",
            "PNG copies at half size",
            (record,),
            f"{len(pictures)} of 165 pictures, not aligned",
        ),
        {"conditions": CONDITIONS},
    )
