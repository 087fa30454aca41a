"""Reads CIFAR-10: 50,000 + 10,000 color images of 32x32 in ten classes.

Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009,
https://www.cs.toronto.edu/~kriz/cifar.html ("binary version"). The files `data_batch_1.bin` to
`data_batch_5.bin` and `test_batch.bin`, or the same with `.gz`, are records without a header: a
label byte, then 1,024 red, 1,024 green and 1,024 blue bytes, each plane row by row. They may hold
only the first records, and so have no published checksum; length and labels are checked. A
prepared TFDS data set has the same pixels.

The last tenth of the training images by index is the validation split: 5,000 of 50,000.
"""

from pathlib import Path

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

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
NUM_TRAIN, NUM_TEST = 50_000, 10_000
_FOLDERS = ("cifar10/cifar-10-batches-bin", "cifar-10-batches-bin")
_BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
_RECORD = 1 + 3 * 32 * 32  # A label byte, then the red, green and blue planes, each row by row.
_BATCH_RECORDS = 10_000


def read_exact(data_dir: Path) -> Dataset:
    """Returns the data set from its binary records, of which a first part suffices.

    Raises:
        DataAbsentError: there are no such files in `data_dir`.
        DataError: some files are missing or damaged.
    """
    paths = _find(data_dir)
    batches, files = [], []
    for path in paths:
        content, record = archives.read_unpacked(path)
        batches.append(_records(content, path))
        files.append(record)
    train = tuple(np.concatenate(arrays) for arrays in zip(*batches[:-1], strict=True))
    counts = (len(train[1]), len(batches[-1][1]))
    note = ""
    if counts != (NUM_TRAIN, NUM_TEST):
        note = (
            f"exact pixels, a subset: {counts[0]:,} of {NUM_TRAIN:,} training and {counts[1]:,} of "
            f"{NUM_TEST:,} test images"
        )
    return assemble(train, batches[-1], Provenance("cifar10", "original files", tuple(files), note))


def read_prepared(data_dir: Path) -> Dataset:
    """Returns the data set as TFDS prepared it, in the order of the original batches.

    Raises:
        DataAbsentError: there is none that this machine can read.
        DataError: it is damaged.
    """
    prepared = tfds.prepared("cifar10", data_dir)
    for name, count in (("train", NUM_TRAIN), ("test", NUM_TEST)):
        if prepared.images[name].shape != (count, 32, 32, 3):
            raise DataError(
                f"{prepared.folder} has {name} images of shape {prepared.images[name].shape}; it "
                f"must be {(count, 32, 32, 3)}; delete the folder and prepare it again"
            )
    return assemble(
        (prepared.images["train"], prepared.labels["train"].astype(np.int32)),
        (prepared.images["test"], prepared.labels["test"].astype(np.int32)),
        Provenance("cifar10", "prepared TFDS data set", prepared.files),
    )


def assemble(
    train: tuple[UInt8[np.ndarray, "train 32 32 3"], Int32[np.ndarray, " train"]],
    test: tuple[UInt8[np.ndarray, "test 32 32 3"], Int32[np.ndarray, " test"]],
    provenance: Provenance,
) -> Dataset:
    """Returns the three splits of images and labels in the original order."""
    kept, validation = hold_out_last(
        Split.labeled_images(images_from_uint8(train[0]), train[1]), max(1, len(train[1]) // 10)
    )
    return Dataset(
        kept,
        validation,
        Split.labeled_images(images_from_uint8(test[0]), test[1]),
        CLASSES,
        provenance,
    )


def _find(data_dir: Path) -> list[Path]:
    for folder in (data_dir / name for name in _FOLDERS):
        candidates = [(folder / f"{stem}.bin", folder / f"{stem}.bin.gz") for stem in _BATCHES]
        paths = [next((p for p in pair if p.is_file()), None) for pair in candidates]
        if None not in paths:
            return paths
        similar = sorted(path.name for path in folder.glob("*batch*"))
        if set(similar) - {"batches.meta.txt"}:
            missing = [f"{s}.bin" for s, path in zip(_BATCHES, paths, strict=True) if path is None]
            raise DataError(
                f"{', '.join(missing)} of cifar10 is missing in {folder}, which holds "
                f"{', '.join(similar)}; add the missing files, or delete the folder"
            )
    raise DataAbsentError(f"{_FOLDERS[0]}/{_BATCHES[0]}.bin(.gz) does not exist in {data_dir}")


def _records(
    content: bytes, path: Path
) -> tuple[UInt8[np.ndarray, "record 32 32 3"], Int32[np.ndarray, " record"]]:
    count, rest = divmod(len(content), _RECORD)
    if rest or not 1 <= count <= _BATCH_RECORDS:
        raise DataError(
            f"{path} holds {len(content):,} bytes; it must hold 1 to {_BATCH_RECORDS:,} records of "
            f"{_RECORD:,} bytes; delete it and fetch it again"
        )
    records = np.frombuffer(content, np.uint8).reshape(count, _RECORD)
    labels = records[:, 0].astype(np.int32)
    if labels.max() >= len(CLASSES):
        raise DataError(
            f"{path} holds the label {labels.max()}; labels are 0 to 9, so the file is damaged or "
            "not of CIFAR-10; delete it and fetch it again"
        )
    return records[:, 1:].reshape(count, 3, 32, 32).transpose(0, 2, 3, 1), labels
