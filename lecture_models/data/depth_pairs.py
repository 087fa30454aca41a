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

from lecture_models.data.dataset import DataError, Dataset, Provenance, Split
from lecture_models.data.label_maps import decode_map
from lecture_models.data.listed_archive import ListedArchive, open_listed
from lecture_models.data.packed_pictures import decode_picture

FOLDER = "nyu-depth"
WIDTH, HEIGHT = 160, 120
VALUES_PER_METER = 25.5


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
    listed = open_listed(data_dir / FOLDER, "split.csv", "pairs.tar.gz", ("index", "split"))
    splits = []
    for lines in listed.by_split("pair").values():
        pairs = [_read_pair(listed, line.cells[0]) for line in lines]
        pixels, depths = (np.stack(arrays) for arrays in zip(*pairs, strict=True))
        splits.append(depth_split(pixels, depths))
    note = f"{sum(map(len, splits))} of 1,449 pairs at 160x120, split by rooms, not the official"
    return Dataset(*splits, (), Provenance("nyu_depth", "resized pairs", listed.files, note))


def _read_pair(listed: ListedArchive, index: str) -> tuple[np.ndarray, np.ndarray]:
    photo, depth = f"images/{index}.jpg", f"depths/{index}.png"
    pixels = decode_picture(
        listed.member(photo), f"{listed.packed}: {photo}", (HEIGHT, WIDTH, 3), "JPEG"
    )
    values = decode_map(listed.member(depth), f"{listed.packed}: {depth}", (WIDTH, HEIGHT))
    if not values.all():
        unknown = (values == 0).sum()
        raise DataError(f"{listed.packed}: {depth} has {unknown} pixels without a depth")
    return pixels, values.astype(np.float32) / np.float32(VALUES_PER_METER)
