"""Defines the type of every data set that was read: three splits of named arrays, and their source.

An array holds anything: images, labels, token sequences, sounds, frames, boxes, masks, pairs.
"""

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Int32

from lecture_models.data.pixels import uint8_from_images
from lecture_models.data.ragged import Ragged, concatenate

Arrays = Mapping[str, np.ndarray | Ragged]


class DataError(Exception):
    """Tells the user, in one line, why a data set cannot be read as requested."""


class DataAbsentError(DataError):
    """Says that no file of a data set exists, so that another source may be tried.

    A file that exists but is damaged is a plain DataError: it is never replaced silently.
    """


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """Holds the examples of a split as named arrays, each with one entry per example.

    `split["tokens"]` is an array and `len(split)` the number of examples. Arrays have the same name
    and form in every data set that has them:

    - images: float32 in [-1, 1], (example, height, width, channel);
    - labels: int32, (example,), indices into `Dataset.classes`;
    - texts, or source_texts and target_texts of a pair: object, (example,), strings whose words
      are not numbered yet;
    - tokens, or source and target of a pair: `Ragged` int32, indices into `Dataset.vocabularies`;
    - samples of sounds, frames of films, boxes of images: `Ragged`, elements of any shape;
    - masks, depths and other maps: (example, height, width).

    Attributes:
        arrays: by name, an array with the examples along its first axis, or a `Ragged` with one
            sequence for each example.

    Raises:
        DataError: there is no array, or two differ in their number of examples.
    """

    arrays: Arrays

    def __post_init__(self):
        counts = {name: len(array) for name, array in self.arrays.items()}
        if len(set(counts.values())) != 1:
            shown = ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "none"
            raise DataError(f"the arrays of a split must have equally many examples: {shown}")

    @classmethod
    def labeled_images(
        cls,
        images: Float32[np.ndarray, "example height width channel"],
        labels: Int32[np.ndarray, " example"],
    ) -> "Split":
        """Returns a split of images in [-1, 1] and their class indices."""
        return cls({"images": images, "labels": labels})

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    def __getitem__(self, name: str) -> Any:  # An array or a Ragged; the caller knows which.
        if name not in self.arrays:
            raise DataError(f"this data set has no {name}; it has {', '.join(self.arrays)}")
        return self.arrays[name]

    @property
    def images(self) -> Float32[np.ndarray, "example height width channel"]:
        """Returns the images; raises DataError if the data set has none."""
        return self["images"]

    @property
    def labels(self) -> Int32[np.ndarray, " example"]:
        """Returns the class indices; raises DataError if the data set has none."""
        return self["labels"]

    def select(self, examples: Any) -> "Split":
        """Returns the examples of a slice, of an array of indices, or of an array of booleans."""
        return Split({name: array[examples] for name, array in self.arrays.items()})


class DataFile(NamedTuple):
    """Records one file that was read."""

    path: Path
    sha256: str


class Provenance(NamedTuple):
    """Records where a data set came from, for the record of a run.

    Attributes:
        dataset: name of the data set, such as "mnist".
        source: one phrase, such as "original files" or "prepared TFDS data set".
        files: the files that were read.
        note: what a reader of a result must know, such as "JPEG, lossy"; "" for nothing.
    """

    dataset: str
    source: str
    files: tuple[DataFile, ...]
    note: str = ""


class Dataset(NamedTuple):
    """Holds the three splits of a data set, which have the same arrays.

    Attributes:
        train: examples to train on.
        validation: examples on which hyperparameters are chosen.
        test: examples that are looked at once, at the end.
        classes: the names of labels 0, 1, ...; () where there are no labels.
        provenance: where the data came from.
        vocabularies: by the name of an array of token ids, the words of ids 0, 1, ... They are to
            tokens what `classes` are to labels: without them no text can be shown. A translation
            has one for each language.
    """

    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...]
    provenance: Provenance
    vocabularies: Mapping[str, tuple[str, ...]] = MappingProxyType({})


def hold_out_last(split: Split, count: int) -> tuple[Split, Split]:
    """Returns the split without its last `count` examples, and those examples.

    This is the usual validation split of data without one: Goodfellow et al. (2014) and most MNIST
    papers train on the first 50,000 images of the training file and validate on the last 10,000.

    Raises:
        DataError: one of the parts would be empty.
    """
    if not 1 <= count < len(split):
        raise DataError(
            f"{count} of {len(split)} examples cannot be held out for validation; each part must "
            "have at least one"
        )
    return split.select(slice(-count)), split.select(slice(-count, None))


def joined(first: Split, second: Split) -> Split:
    """Returns all examples of both splits, in this order; both must have the same arrays.

    One trains on training and validation examples when all hyperparameters are chosen.
    """
    arrays = {name: concatenate([array, second[name]]) for name, array in first.arrays.items()}
    return Split(arrays)


def split_checksum(split: Split) -> str:
    """Returns the SHA-256 of the shape, pixels (as bytes) and labels of a split of images.

    It is the same on every machine.
    """
    pixels = uint8_from_images(split.images)
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(pixels.tobytes())
    digest.update(split.labels.astype("<i4").tobytes())
    return digest.hexdigest()
