"""Reads pictures with a map of instances each: which pixel belongs to which object.

A split has `pixels`, uint8 RGB, (example, height, width, 3), and `masks`, uint8, (example, height,
width): 0 for background, then one number for each object.

Source: a part of the Data Science Bowl of 2018 (BBBC038, Caicedo et al., 2019), in
`dsb2018-nuclei/`: `split.csv`, and `pairs.tar.gz` with gray pictures of 256x256 pixels and label
images of 8 bits. The split was drawn at random. There is no published checksum.
"""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from lecture_models.data.csv_cells import Line, finite_number
from lecture_models.data.dataset import DataError, Dataset, Provenance, Split
from lecture_models.data.label_maps import decode_map
from lecture_models.data.listed_archive import ListedArchive, open_listed
from lecture_models.data.packed_pictures import decode_picture

FOLDER = "dsb2018-nuclei"
SIDE = 256


def instance_split(
    pixels: UInt8[np.ndarray, "example height width 3"],
    masks: UInt8[np.ndarray, "example height width"],
) -> Split:
    """Returns a split of pictures with a map of instances each.

    Raises:
        DataError: there is no object in any picture.
    """
    if not masks.any():
        raise DataError(f"none of {len(pixels)} pictures has an object")
    return Split({"pixels": pixels, "masks": masks})


def read_nuclei(data_dir: Path) -> Dataset:
    """Returns the pictures of nuclei.

    Raises:
        DataAbsentError: the list of pictures does not exist.
        DataError: a file is damaged, or a map has another number of nuclei than the list.
    """
    header = ("file", "split", "nuclei")
    listed = open_listed(data_dir / FOLDER, "split.csv", "pairs.tar.gz", header)
    splits = []
    for lines in listed.by_split("picture").values():
        pairs = [_read_pair(listed, line) for line in lines]
        pixels, masks = (np.stack(arrays) for arrays in zip(*pairs, strict=True))
        splits.append(instance_split(pixels, masks))
    note = f"{sum(map(len, splits))} of 334 dark pictures, split at random"
    return Dataset(*splits, (), Provenance("dsb2018_nuclei", "joined masks", listed.files, note))


def _read_pair(listed: ListedArchive, line: Line) -> tuple[np.ndarray, np.ndarray]:
    name, _, nuclei = line.cells
    photo, label = f"images/{name}.jpg", f"labels/{name}.png"
    gray = decode_picture(
        listed.member(photo), f"{listed.packed}: {photo}", (SIDE, SIDE, 1), "JPEG"
    )
    masks = decode_map(listed.member(label), f"{listed.packed}: {label}", (SIDE, SIDE))
    count, stated = int(masks.max()), finite_number(nuclei, listed.table, line.number)
    if len(np.unique(masks[masks > 0])) != count or count != stated:
        raise DataError(
            f"{listed.where(line)}: {name} has the labels 1 to {count}, not all of them or not the "
            f"{stated:g} nuclei that are stated"
        )
    return gray.repeat(3, axis=2), masks
