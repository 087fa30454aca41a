"""Reads photos of rooms with the depth of each pixel.

A split has `pixels`, uint8 RGB, (example, height, width, 3), and `depths`, float32 in meters,
(example, height, width).

Source: a part of NYU Depth V2, Silberman et al., 2012, in `nyu-depth/`: `split.csv`, and
`pairs.tar.gz` with photos of 160x120 pixels and depths in 8 bits, meters = value / 25.5. The split
is by blocks of neighbors, because those show one room; it is not the official one. There is no
published checksum.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from lecture_models.data import archives
from lecture_models.data.csv_cells import read_csv
from lecture_models.data.dataset import DataAbsentError, DataError, Dataset, Provenance, Split
from lecture_models.data.label_maps import decode_map
from lecture_models.data.packed_pictures import decode_picture

FOLDER = "nyu-depth"
WIDTH, HEIGHT = 160, 120
VALUES_PER_METER = 25.5
SPLITS = ("train", "val", "test")


def depth_split(
    pixels: UInt8[np.ndarray, "example height width 3"],
    depths: Float32[np.ndarray, "example height width"],
) -> Split:
    """Returns a split of pictures with the depth of each pixel."""
    return Split({"pixels": pixels, "depths": depths})


def read_nyu(data_dir: Path) -> Dataset:
    """Returns the photos of rooms, in a split by rooms.

    Raises:
        DataAbsentError: the list of pairs does not exist.
        DataError: a file is damaged, a split is empty, or a pixel has no depth.
    """
    table, packed = data_dir / FOLDER / "split.csv", data_dir / FOLDER / "pairs.tar.gz"
    if not table.is_file():
        raise DataAbsentError(f"{FOLDER}/{table.name} does not exist in {data_dir}")
    lines, table_file = read_csv(table)
    if not lines or lines[0].cells != ("index", "split"):
        raise DataError(f"{table} must begin with the line index,split")
    content, packed_file = archives.read_unpacked(packed)
    files = dict(archives.tar_files(content, packed))
    parts: dict[str, list] = {split: [] for split in SPLITS}
    for line in lines[1:]:
        index, split = line.cells
        if split not in SPLITS:
            raise DataError(f"{table}, line {line.number}: {split!r} must be one of {SPLITS}")
        parts[split].append(_read_pair(files, index, packed))
    for split, pairs in parts.items():
        if not pairs:
            raise DataError(f"{table} names no pair of the split {split}")
    splits = [
        depth_split(np.stack([pixels for pixels, _ in pairs]), np.stack([d for _, d in pairs]))
        for pairs in parts.values()
    ]
    note = f"{sum(map(len, splits))} of 1,449 pairs at 160x120, split by rooms, not the official"
    provenance = Provenance("nyu_depth", "resized pairs", (table_file, packed_file), note)
    return Dataset(*splits, (), provenance)


def _read_pair(files: dict[str, bytes], index: str, packed: Path) -> tuple[np.ndarray, np.ndarray]:
    photo, depth = f"images/{index}.jpg", f"depths/{index}.png"
    for member in (photo, depth):
        if member not in files:
            raise DataError(f"{packed} lacks {member}")
    pixels = decode_picture(files[photo], f"{packed}: {photo}", (HEIGHT, WIDTH, 3), "JPEG")
    values = decode_map(files[depth], f"{packed}: {depth}", (WIDTH, HEIGHT))
    if not values.all():
        raise DataError(f"{packed}: {depth} has {(values == 0).sum()} pixels without a depth")
    return pixels, values.astype(np.float32) / np.float32(VALUES_PER_METER)
