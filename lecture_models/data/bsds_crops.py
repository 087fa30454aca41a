"""Reads the centers of 100 photos of BSDS500: backgrounds, and what is not a face.

Source: P. Arbelaez, M. Maire, C. Fowlkes and J. Malik, "Contour detection and hierarchical image
segmentation", IEEE TPAMI 33, 2011. The file `bsds-crops/images.tar.gz` holds JPEG files of 224 x
224 pixels in color. There is no published checksum.
"""

from pathlib import Path

import numpy as np

from lecture_models.data.dataset import DataAbsentError, Dataset, Provenance, Split
from lecture_models.data.packed_pictures import read_pictures
from lecture_models.data.pixels import images_from_uint8

FILE = "bsds-crops/images.tar.gz"
SHAPE = (224, 224, 3)


def read(data_dir: Path) -> Dataset:
    """Returns the photos in the order of their names: 60, 20 and 20% in the three splits.

    Raises:
        DataAbsentError: the file does not exist.
        DataError: the file is damaged.
    """
    path = data_dir / FILE
    if not path.is_file():
        raise DataAbsentError(f"{FILE} does not exist in {data_dir}")
    pictures, record = read_pictures(path, SHAPE, "JPEG")
    everything = Split({"images": images_from_uint8(np.stack(list(pictures.values())))})
    first, second = (len(pictures) * share // 10 for share in (6, 8))
    return Dataset(
        everything.select(slice(first)),
        everything.select(slice(first, second)),
        everything.select(slice(second, None)),
        (),
        Provenance("bsds_crops", "centers of photos, JPEG", (record,)),
    )
