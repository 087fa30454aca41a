"""What every data set looks like once it is read: three splits, and where they came from."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32


class DataError(Exception):
    """A data set that cannot be had as asked: the message is one line for the user."""


class DataAbsentError(DataError):
    """Nothing of the data set is there, so another source may be tried.

    A file that is there but damaged is a plain DataError: it is never replaced silently.
    """


class Split(NamedTuple):
    """Images in [-1, 1], NHWC, and their class indices."""

    images: Float32[np.ndarray, "example height width channel"]
    labels: Int32[np.ndarray, " example"]


class DataFile(NamedTuple):
    """One file that was read."""

    path: Path
    sha256: str


class Provenance(NamedTuple):
    """Where a data set came from, as it is recorded with a run.

    `source` is one phrase ("original files", "prepared TFDS data set", ...); `note` says what a
    reader of a result must know ("JPEG, lossy"), and is empty when there is nothing to say.
    """

    dataset: str
    source: str
    files: tuple[DataFile, ...]
    note: str = ""


class Dataset(NamedTuple):
    """The three splits of a data set; `classes` are the names of labels 0, 1, ..."""

    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...]
    provenance: Provenance


def hold_out_last(split: Split, count: int) -> tuple[Split, Split]:
    """The split without its last `count` examples, and those: the usual fixed validation split.

    Goodfellow et al. (2014) and most MNIST papers train on the first 50,000 and validate on the
    last 10,000 of the training file. Raises DataError where either part would be empty.
    """
    if not 1 <= count < len(split.labels):
        raise DataError(f"{count} of {len(split.labels)} examples cannot be held out")
    return (
        Split(split.images[:-count], split.labels[:-count]),
        Split(split.images[-count:], split.labels[-count:]),
    )


def joined(first: Split, second: Split) -> Split:
    """All examples of both, in this order: to train on once nothing is left to choose."""
    return Split(
        np.concatenate([first.images, second.images]), np.concatenate([first.labels, second.labels])
    )


def split_checksum(split: Split) -> str:
    """SHA-256 of a split's shape, pixels (as uint8) and labels, the same on every machine."""
    pixels = np.rint((split.images + 1.0) * 127.5).astype(np.uint8)
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(pixels.tobytes())
    digest.update(split.labels.astype("<i4").tobytes())
    return digest.hexdigest()
