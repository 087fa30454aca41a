"""CIFAR-10: 50,000 + 10,000 color images of 32x32 in ten classes (Krizhevsky, 2009).

Exact pixels come from the public binary records or a prepared TFDS data set. Whatever the number
of training images, the last tenth by index is the validation split: 45,000 and 5,000 of all.
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
    """The data set from its binary records (.bin or .bin.gz), which may be cut to a first part.

    Raises DataAbsentError where there are none, DataError where some are missing or damaged.
    """
    paths = _find(data_dir)
    batches, files = [], []
    for path in paths:
        content, record = archives.read_unpacked(path)
        batches.append(_records(content, path))
        files.append(record)
    train = tuple(np.concatenate(arrays) for arrays in zip(*batches[:-1], strict=True))
    found = (len(train[1]), len(batches[-1][1]))
    note = ""
    if found != (NUM_TRAIN, NUM_TEST):
        note = (
            f"exact pixels, a subset: {found[0]:,} of {NUM_TRAIN:,} training and {found[1]:,} of "
            f"{NUM_TEST:,} test images"
        )
    return assemble(train, batches[-1], Provenance("cifar10", "original files", tuple(files), note))


def read_prepared(data_dir: Path) -> Dataset:
    """The exact pixels from a prepared TFDS data set, in the order of the original batches.

    Raises DataAbsentError where there is none that can be read, DataError where it is damaged.
    """
    prepared = tfds.prepared("cifar10", data_dir)
    for name, count in (("train", NUM_TRAIN), ("test", NUM_TEST)):
        if prepared.images[name].shape != (count, 32, 32, 3):
            raise DataError(
                f"{prepared.folder} has {name} images of shape {prepared.images[name].shape}, not "
                f"{(count, 32, 32, 3)}; delete the folder and prepare it again"
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
    """The three splits of images and labels in the original order."""
    kept, validation = hold_out_last(
        Split(images_from_uint8(train[0]), train[1]), max(1, len(train[1]) // 10)
    )
    return Dataset(
        kept, validation, Split(images_from_uint8(test[0]), test[1]), CLASSES, provenance
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
                f"{folder} lacks {', '.join(missing)} of cifar10; it holds {', '.join(similar)}: "
                "add the missing files under these names, or delete the folder"
            )
    raise DataAbsentError(f"no {_FOLDERS[0]}/{_BATCHES[0]}.bin(.gz) in {data_dir}")


def _records(
    content: bytes, path: Path
) -> tuple[UInt8[np.ndarray, "record 32 32 3"], Int32[np.ndarray, " record"]]:
    count, rest = divmod(len(content), _RECORD)
    if rest or not 1 <= count <= _BATCH_RECORDS:
        raise DataError(
            f"{path} holds {len(content):,} bytes, which is not 1 to {_BATCH_RECORDS:,} records of "
            f"{_RECORD:,}; delete it and fetch it again"
        )
    records = np.frombuffer(content, np.uint8).reshape(count, _RECORD)
    labels = records[:, 0].astype(np.int32)
    if labels.max() >= len(CLASSES):
        raise DataError(
            f"{path} holds the label {labels.max()}, where 0 to 9 are allowed: it is no file of "
            "CIFAR-10, or damaged; delete it and fetch it again"
        )
    return records[:, 1:].reshape(count, 3, 32, 32).transpose(0, 2, 3, 1), labels
