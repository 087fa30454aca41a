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

from lecture_models.data import archives
from lecture_models.data.csv_cells import finite_number, read_csv
from lecture_models.data.dataset import DataAbsentError, DataError, Dataset, Provenance, Split
from lecture_models.data.label_maps import decode_map
from lecture_models.data.packed_pictures import decode_picture

FOLDER = "dsb2018-nuclei"
SIDE = 256
SPLITS = ("train", "val", "test")


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
    table, packed = data_dir / FOLDER / "split.csv", data_dir / FOLDER / "pairs.tar.gz"
    if not table.is_file():
        raise DataAbsentError(f"{FOLDER}/{table.name} does not exist in {data_dir}")
    lines, table_file = read_csv(table)
    if not lines or lines[0].cells != ("file", "split", "nuclei"):
        raise DataError(f"{table} must begin with the line file,split,nuclei")
    content, packed_file = archives.read_unpacked(packed)
    files = dict(archives.tar_files(content, packed))
    parts: dict[str, list] = {split: [] for split in SPLITS}
    for line in lines[1:]:
        name, split, nuclei = line.cells
        if split not in SPLITS:
            raise DataError(f"{table}, line {line.number}: {split!r} must be one of {SPLITS}")
        pixels, masks = _read_pair(files, name, packed)
        count, stated = int(masks.max()), finite_number(nuclei, table, line.number)
        if len(np.unique(masks[masks > 0])) != count or count != stated:
            raise DataError(
                f"{table}, line {line.number}: {name} has the labels 1 to {count}, not all of them "
                f"or not the {stated:g} nuclei that are stated"
            )
        parts[split].append((pixels, masks))
    for split, pairs in parts.items():
        if not pairs:
            raise DataError(f"{table} names no picture of the split {split}")
    splits = [
        instance_split(np.stack([one for one, _ in pairs]), np.stack([one for _, one in pairs]))
        for pairs in parts.values()
    ]
    note = f"{sum(map(len, splits))} of 334 dark pictures, split at random"
    provenance = Provenance("dsb2018_nuclei", "joined masks", (table_file, packed_file), note)
    return Dataset(*splits, (), provenance)


def _read_pair(files: dict[str, bytes], name: str, packed: Path) -> tuple[np.ndarray, np.ndarray]:
    photo, label = f"images/{name}.jpg", f"labels/{name}.png"
    for member in (photo, label):
        if member not in files:
            raise DataError(f"{packed} lacks {member}")
    gray = decode_picture(files[photo], f"{packed}: {photo}", (SIDE, SIDE, 1), "JPEG")
    masks = decode_map(files[label], f"{packed}: {label}", (SIDE, SIDE))
    return gray.repeat(3, axis=2), masks
