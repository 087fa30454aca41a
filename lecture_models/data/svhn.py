"""Reads SVHN: 73,257 + 26,032 digits of house numbers in color, 32x32, and 531,131 easier ones.

Source: Y. Netzer et al., "Reading digits in natural images with unsupervised feature learning",
2011, http://ufldl.stanford.edu/housenumbers/ ("format 2"). The files `train_32x32.mat`,
`test_32x32.mat` and `extra_32x32.mat` are MATLAB files with `X`, bytes of (32, 32, 3, image), and
`y`, the digit of each image, where 10 stands for 0. Their MD5s are checked before they are parsed.
A prepared TFDS data set (`svhn_cropped`) has the same pixels without the extra images.
"""

import hashlib
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32, UInt8

from lecture_models.data import archives, tfds
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

CLASSES = tuple("0123456789")
FOLDERS = ("svhn", "SVHN", "housenumbers")
NUM_VALIDATION = 6_000  # Of the last training images: as many as in Sermanet et al., 2012.
MD5 = {
    "train": "e26dedcc434d2e4c54c9b2d4a06d8373",
    "test": "eb5a983be6a315427106f1b164d9cef3",
    "extra": "a93ce644f1a588dc4d68dda5feec44a7",
}

Labeled = tuple[UInt8[np.ndarray, "_ 32 32 3"], Int32[np.ndarray, " _"]]


class _File(NamedTuple):
    """Holds what one file has, and its record."""

    labeled: Labeled
    record: DataFile


def read(data_dir: Path) -> Dataset:
    """Returns the 73,257 training and 26,032 test images, the last 6,000 of training held out.

    Raises:
        DataAbsentError: there is no such file in `data_dir`.
        DataError: a file is missing or damaged.
    """
    train, test = (_read(path) for path in _find(data_dir, ("train", "test")))
    provenance = Provenance("svhn", "original files", (train.record, test.record))
    return _assemble(train.labeled, test.labeled, provenance)


def read_with_extra(data_dir: Path) -> Dataset:
    """Returns the same test images, and 604,388 training images with the extra ones first.

    So the last 6,000, which are held out, are of the harder kind. As floats the images take 7.4 GB.

    Raises:
        DataAbsentError: there is no such file in `data_dir`.
        DataError: a file is missing or damaged.
    """
    extra, train, test = (_read(path) for path in _find(data_dir, ("extra", "train", "test")))
    joined = tuple(
        np.concatenate(arrays) for arrays in zip(extra.labeled, train.labeled, strict=True)
    )
    records = (extra.record, train.record, test.record)
    provenance = Provenance("svhn_extra", "original files", records)
    return _assemble(joined, test.labeled, provenance)


def read_prepared(data_dir: Path) -> Dataset:
    """Returns what `read` returns, as TFDS prepared it, in the order of the original files.

    Raises:
        DataAbsentError: there is none that this machine can read.
        DataError: it is damaged.
    """
    prepared = tfds.prepared("svhn_cropped", data_dir)
    train, test = (
        (prepared.images[split], prepared.labels[split].astype(np.int32))
        for split in ("train", "test")
    )
    return _assemble(train, test, Provenance("svhn", "prepared TFDS data set", prepared.files))


def _assemble(train: Labeled, test: Labeled, provenance: Provenance) -> Dataset:
    kept, validation = hold_out_last(
        Split.labeled_images(images_from_uint8(train[0]), train[1]), NUM_VALIDATION
    )
    held = Split.labeled_images(images_from_uint8(test[0]), test[1])
    return Dataset(kept, validation, held, CLASSES, provenance)


def _find(data_dir: Path, splits: tuple[str, ...]) -> list[Path]:
    names = [f"{split}_32x32.mat" for split in splits]
    for folder in (data_dir / name for name in FOLDERS):
        present = [name for name in names if (folder / name).is_file()]
        if len(present) == len(names):
            return [folder / name for name in names]
        if present:
            missing = ", ".join(name for name in names if name not in present)
            raise DataError(f"{missing} of SVHN is missing in {folder}; add the missing files")
    raise DataAbsentError(f"{FOLDERS[0]}/{names[0]} does not exist in {data_dir}")


def _read(path: Path) -> _File:
    from scipy.io import loadmat

    content, record = archives.read_file(path)
    split = path.name.partition("_")[0]
    found = hashlib.md5(content).hexdigest()
    if found != MD5[split]:
        raise DataError(
            f"{path} is not the published file of SVHN: its MD5 is {found}; it must be "
            f"{MD5[split]}; delete it and fetch it again"
        )
    arrays = loadmat(io.BytesIO(content))
    pixels = np.ascontiguousarray(np.moveaxis(arrays["X"], -1, 0))
    labels = arrays["y"].reshape(-1).astype(np.int32) % 10  # 10 stands for the digit 0.
    return _File((pixels, labels), record)
