"""Reads paintings by Monet and photos of landscapes, which are no pairs.

A split has `pixels`, uint8 RGB, (example, 128, 128, 3), and `labels`, the domain: 0 for paintings
and 1 for photos.

Source: Zhu et al., 2017. The file `monet2photo/images.tar.gz` has a part of their pictures, JPEG of
128x128 pixels, in the folders `trainA`, `testA`, `trainB` and `testB` of their split. There is no
published checksum.
"""

from pathlib import Path

import numpy as np

from lecture_models.data.dataset import (
    DataAbsentError,
    DataError,
    Dataset,
    Provenance,
    Split,
    hold_out_last,
    joined,
)
from lecture_models.data.packed_pictures import read_pictures

FILE, SHAPE = "monet2photo/images.tar.gz", (128, 128, 3)
DOMAINS = ("paintings", "photos")


def read(data_dir: Path) -> Dataset:
    """Returns the pictures; the last tenth of each domain's training pictures is held out.

    Raises:
        DataAbsentError: the file does not exist.
        DataError: the file is damaged, or a folder of it is empty.
    """
    path = data_dir / FILE
    if not path.is_file():
        raise DataAbsentError(f"{FILE} does not exist in {data_dir}")
    pictures, record = read_pictures(path, SHAPE, "JPEG")
    folders: dict[str, list] = {"trainA": [], "trainB": [], "testA": [], "testB": []}
    for name, pixels in pictures.items():
        folder = Path(name).parent.name
        if folder not in folders:
            raise DataError(f"{path}: {name} lies in none of the folders {', '.join(folders)}")
        folders[folder].append(pixels)
    for folder, found in folders.items():
        if len(found) < 2:
            raise DataError(f"{path} has {len(found)} pictures in {folder}; it must have 2 or more")

    def of_domain(folder: str) -> Split:
        labels = np.full(len(folders[folder]), folder.endswith("B"), np.int32)
        return Split({"pixels": np.stack(folders[folder]), "labels": labels})

    (train_a, held_a), (train_b, held_b) = (
        hold_out_last(of_domain(name), max(1, len(folders[name]) // 10))
        for name in ("trainA", "trainB")
    )
    return Dataset(
        joined(train_a, train_b),
        joined(held_a, held_b),
        joined(of_domain("testA"), of_domain("testB")),
        DOMAINS,
        Provenance("monet2photo", "paintings and photos, JPEG", (record,)),
    )
