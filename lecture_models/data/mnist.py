"""Reads MNIST and Fashion-MNIST: 60,000 + 10,000 gray images of 28x28 in four idx files.

The SHA-256 of each file's unpacked content must be the published one. A prepared TFDS data set is
put back into the order of the files and checked in the same way.

Sources: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
recognition", 1998, http://yann.lecun.com/exdb/mnist/; Xiao, Rasul and Vollgraf, "Fashion-MNIST",
2017, arXiv:1708.07747, github.com/zalandoresearch/fashion-mnist.
"""

import concurrent.futures
import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from lecture_models.data import archives, idx, tfds
from lecture_models.data.dataset import (
    DataAbsentError,
    DataError,
    DataFile,
    Dataset,
    Provenance,
    Split,
    hold_out_last,
)
from lecture_models.data.pixels import images_from_uint8

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


class MnistLayout(NamedTuple):
    """Describes a data set that has MNIST's four files.

    Attributes:
        name: name of the data set.
        folders: folders below the data folder in which the files are looked for.
        digests: SHA-256s of the unpacked files, in the order of `FILES`. So it does not matter
            how a file was packed, or whether it is packed.
        classes: names of labels 0, 1, ...
        num_validation: number of training images at the end that are the validation split.
    """

    name: str
    folders: tuple[str, ...]
    digests: tuple[str, ...]
    classes: tuple[str, ...]
    num_validation: int = 10_000


MNIST = MnistLayout(
    name="mnist",
    folders=("mnist", "MNIST/raw"),
    digests=(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    classes=tuple("0123456789"),
)

FASHION_MNIST = MnistLayout(
    name="fashion_mnist",
    folders=("fashion-mnist", "fashion_mnist", "FashionMNIST/raw"),
    digests=(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    classes=(
        "T-shirt/top",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
)


def read(layout: MnistLayout, data_dir: Path) -> Dataset:
    """Returns the data set from its original files, .gz or unpacked.

    Args:
        layout: which data set.
        data_dir: the data folder.

    Raises:
        DataAbsentError: none of the files exists.
        DataError: some files are missing or damaged.
    """
    paths = _find(layout, data_dir)
    with (
        concurrent.futures.ThreadPoolExecutor() as pool
    ):  # zlib unpacks without holding Python's lock.
        contents = list(pool.map(archives.read_unpacked, paths))
    arrays = [
        idx.parse(content, rank, path)
        for (content, _), rank, path in zip(contents, (3, 1, 3, 1), paths, strict=True)
    ]
    for path, (content, _), digest in zip(paths, contents, layout.digests, strict=True):
        if hashlib.sha256(content).hexdigest() != digest:
            raise DataError(
                f"{path} is not the published file of {layout.name}: the SHA-256 of its content is "
                f"{hashlib.sha256(content).hexdigest()}; it must be {digest}; delete it and fetch "
                "it again"
            )
    return _dataset(layout, arrays, "original files", tuple(record for _, record in contents))


def read_prepared(layout: MnistLayout, data_dir: Path) -> Dataset:
    """Returns the same data set from a prepared TFDS data set.

    Args:
        layout: which data set.
        data_dir: the data folder.

    Raises:
        DataAbsentError: there is none that this machine can read.
        DataError: it is damaged.
    """
    prepared = tfds.prepared(layout.name, data_dir)
    arrays = [
        prepared.images["train"].squeeze(-1),
        prepared.labels["train"],
        prepared.images["test"].squeeze(-1),
        prepared.labels["test"],
    ]
    for array, digest, file in zip(arrays, layout.digests, FILES, strict=True):
        if hashlib.sha256(idx.serialize(array)).hexdigest() != digest:
            raise DataError(
                f"{prepared.folder} differs from the published {file} of {layout.name}; delete the "
                "folder and prepare it again"
            )
    return _dataset(layout, arrays, "prepared TFDS data set", prepared.files)


def _find(layout: MnistLayout, data_dir: Path) -> list[Path]:
    for folder in (data_dir / name for name in layout.folders):
        candidates = [(folder / f"{file}.gz", folder / file) for file in FILES]
        paths = [next((p for p in pair if p.is_file()), None) for pair in candidates]
        if None not in paths:
            return paths
        similar = sorted(path.name for path in folder.glob("*ubyte*"))
        if similar:
            missing = ", ".join(
                f"{f}.gz" for f, path in zip(FILES, paths, strict=True) if path is None
            )
            raise DataError(
                f"{missing} of {layout.name} is missing in {folder}, which holds "
                f"{', '.join(similar)}; add the missing files, or delete the folder"
            )
    raise DataAbsentError(f"{layout.folders[0]}/{FILES[0]}.gz does not exist in {data_dir}")


def _dataset(
    layout: MnistLayout,
    arrays: list[UInt8[np.ndarray, "..."]],
    source: str,
    files: tuple[DataFile, ...],
) -> Dataset:
    train_images, train_labels, test_images, test_labels = arrays
    for images, labels in ((train_images, train_labels), (test_images, test_labels)):
        if len(images) != len(labels):
            raise DataError(
                f"{layout.name} has {len(images)} images and {len(labels)} labels; it must have a "
                "label for each image"
            )
    train, validation = hold_out_last(
        Split.labeled_images(
            images_from_uint8(train_images[..., None]), train_labels.astype(np.int32)
        ),
        layout.num_validation,
    )
    test = Split.labeled_images(
        images_from_uint8(test_images[..., None]), test_labels.astype(np.int32)
    )
    provenance = Provenance(layout.name, source, files)
    return Dataset(train, validation, test, layout.classes, provenance)
