"""Reads the binary records of CIFAR-10 and CIFAR-100.

A file is a sequence of records without a header: one or two label bytes, then 1,024 red, 1,024
green and 1,024 blue bytes, each plane row by row. It may hold only the first records of the
published file, and so has no checksum here; lengths and labels are checked.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32, UInt8

from lecture_models.data import archives, tfds
from lecture_models.data.dataset import (
    DataAbsentError,
    DataError,
    Dataset,
    Provenance,
    Split,
    hold_out_last,
)
from lecture_models.data.pixels import images_from_uint8

_PIXELS = 3 * 32 * 32

Labeled = tuple[UInt8[np.ndarray, "_ 32 32 3"], Int32[np.ndarray, " _"]]


class CifarLayout(NamedTuple):
    """Describes the files of one of the data sets.

    Attributes:
        name: name of the data set.
        folders: folders below the data folder in which the files are looked for.
        files: the files without their endings, in their order; the last one is the test file.
        label_bytes: the number of label bytes of a record.
        label: the place of the label among them.
        classes: names of labels 0, 1, ...
        records: the number of records of each published training file; the test file has 10,000.
    """

    name: str
    folders: tuple[str, ...]
    files: tuple[str, ...]
    label_bytes: int
    label: int
    classes: tuple[str, ...]
    records: int

    @property
    def counts(self) -> tuple[int, int]:
        """Returns the numbers of training and test images of the whole data set."""
        return self.records * (len(self.files) - 1), 10_000


def read(layout: CifarLayout, data_dir: Path) -> Dataset:
    """Returns the data set from its binary records, of which a first part suffices.

    Raises:
        DataAbsentError: there are no such files in `data_dir`.
        DataError: some files are missing or damaged.
    """
    batches, files = [], []
    for path in _find(layout, data_dir):
        content, record = archives.read_unpacked(path)
        most = layout.counts[1] if path.stem.startswith(layout.files[-1]) else layout.records
        batches.append(_records(layout, content, path, most))
        files.append(record)
    train = tuple(np.concatenate(arrays) for arrays in zip(*batches[:-1], strict=True))
    counts = (len(train[1]), len(batches[-1][1]))
    note = ""
    if counts != layout.counts:
        note = (
            f"exact pixels, a subset: {counts[0]:,} of {layout.counts[0]:,} training and "
            f"{counts[1]:,} of {layout.counts[1]:,} test images"
        )
    provenance = Provenance(layout.name, "original files", tuple(files), note)
    return assemble(layout, train, batches[-1], provenance)


def read_prepared(
    layout: CifarLayout, data_dir: Path, name: str = "", feature: str = "label"
) -> Dataset:
    """Returns the data set as TFDS prepared it, in the order of the original files.

    Args:
        layout: which data set.
        data_dir: the data folder.
        name: TFDS's name of the data set; "" for the layout's.
        feature: TFDS's name of the label.

    Raises:
        DataAbsentError: there is none that this machine can read.
        DataError: it is damaged.
    """
    prepared = tfds.prepared(name or layout.name, data_dir, feature)
    for split, count in zip(("train", "test"), layout.counts, strict=True):
        if prepared.images[split].shape != (count, 32, 32, 3):
            raise DataError(
                f"{prepared.folder} has {split} images of shape {prepared.images[split].shape}; it "
                f"must be {(count, 32, 32, 3)}; delete the folder and prepare it again"
            )
    return assemble(
        layout,
        (prepared.images["train"], prepared.labels["train"].astype(np.int32)),
        (prepared.images["test"], prepared.labels["test"].astype(np.int32)),
        Provenance(layout.name, "prepared TFDS data set", prepared.files),
    )


def assemble(layout: CifarLayout, train: Labeled, test: Labeled, provenance: Provenance) -> Dataset:
    """Returns the three splits of images and labels in the original order.

    The last tenth of the training images by index is the validation split: 5,000 of 50,000.
    """
    kept, validation = hold_out_last(
        Split.labeled_images(images_from_uint8(train[0]), train[1]), max(1, len(train[1]) // 10)
    )
    return Dataset(
        kept,
        validation,
        Split.labeled_images(images_from_uint8(test[0]), test[1]),
        layout.classes,
        provenance,
    )


def _find(layout: CifarLayout, data_dir: Path) -> list[Path]:
    for folder in (data_dir / name for name in layout.folders):
        candidates = [(folder / f"{stem}.bin", folder / f"{stem}.bin.gz") for stem in layout.files]
        paths = [next((p for p in pair if p.is_file()), None) for pair in candidates]
        if None not in paths:
            return paths
        similar = sorted(path.name for path in folder.glob("*.bin*"))
        if similar:
            missing = [
                f"{stem}.bin"
                for stem, path in zip(layout.files, paths, strict=True)
                if path is None
            ]
            raise DataError(
                f"{', '.join(missing)} of {layout.name} is missing in {folder}, which holds "
                f"{', '.join(similar)}; add the missing files, or delete the folder"
            )
    first = f"{layout.folders[0]}/{layout.files[0]}"
    raise DataAbsentError(f"{first}.bin(.gz) does not exist in {data_dir}")


def _records(layout: CifarLayout, content: bytes, path: Path, most: int) -> Labeled:
    length = layout.label_bytes + _PIXELS
    count, rest = divmod(len(content), length)
    if rest or not 1 <= count <= most:
        raise DataError(
            f"{path} holds {len(content):,} bytes; it must hold 1 to {most:,} records of "
            f"{length:,} bytes; delete it and fetch it again"
        )
    records = np.frombuffer(content, np.uint8).reshape(count, length)
    labels = records[:, layout.label].astype(np.int32)
    if labels.max() >= len(layout.classes):
        raise DataError(
            f"{path} holds the label {labels.max()}; labels are 0 to {len(layout.classes) - 1}, so "
            f"the file is damaged or not of {layout.name}; delete it and fetch it again"
        )
    pixels = records[:, layout.label_bytes :].reshape(count, 3, 32, 32).transpose(0, 2, 3, 1)
    return pixels, labels
