"""Draws batches from all images of a split and from nested labeled subsets of it.

They serve an experiment that learns from all images without labels, and from few with labels.
"""

import dataclasses
import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Int

from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import DataError, Dataset, Split

ALL = 0  # A number of labels that stands for the whole split.


def count_name(count: int) -> str:
    """Returns a number of labels as the names of metrics have it: "100" or "all"."""
    return "all" if count == ALL else str(count)


def count_names(counts: tuple[int, ...]) -> tuple[str, ...]:
    """Returns the names of several numbers of labels, the smallest number first."""
    return tuple(count_name(count) for count in sorted(counts, key=lambda count: count or math.inf))


def require_labels(dataset: Dataset, counts: tuple[int, ...]) -> None:
    """Checks that a data set has classes, and at least as many labels as each of `counts`.

    Raises:
        DataError: there are fewer than two classes; or a count is less than the number of classes,
            or greater than the number of training images.
    """
    name, classes = dataset.provenance.dataset, dataset.classes
    if len(classes) < 2:
        raise DataError(
            f"a classifier needs at least two classes; {name} has {len(classes)}: choose labeled "
            "data, or for your own pictures a folder with a sub-folder for each class"
        )
    num_images = len(dataset.train)
    for count in counts:
        if count != ALL and not len(classes) <= count <= num_images:
            raise DataError(
                f"--label_counts has {count}; with the {len(classes)} classes and {num_images} "
                f"training images of {name} it must be from {len(classes)} to {num_images}, or 0 "
                "for all"
            )


def balanced_order(labels: Int[np.ndarray, " example"], seed: int) -> Int[np.ndarray, " example"]:
    """Returns the numbers of all examples in an order whose first n are balanced, for every n.

    So the first 100 and the first 1,000 are nested subsets. Among the first n examples the counts
    of two classes differ by at most one, until the smaller class is used up.

    Args:
        labels: class indices.
        seed: from which the order is drawn.
    """
    drawn = np.random.default_rng(seed).permutation(len(labels))
    turn = np.empty(len(labels), np.int64)  # Number of examples of its class drawn before it.
    for label in np.unique(labels):
        members = np.flatnonzero(labels[drawn] == label)
        turn[members] = np.arange(len(members))
    return drawn[np.argsort(turn, kind="stable")].astype(np.int32)


@dataclasses.dataclass(frozen=True, eq=False)
class LabeledBatches:
    """Draws batches that consist of several parts, one after the other along the first axis.

    The first part is drawn from all examples, and each other part from a labeled subset. Each part
    has the epochs of `ArrayBatches`. A step always gets the same batch, and an accelerator can hold
    the arrays and gather there.

    Attributes:
        arrays: by name, arrays with the examples along the first axis.
        parts: batches of the numbers of the examples, under the name "example".
    """

    arrays: dict[str, np.ndarray]
    parts: tuple[ArrayBatches, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Returns the number of examples of each part."""
        return tuple(part.batch_size for part in self.parts)

    def indices(self, step: int) -> Int[np.ndarray, " batch"]:
        """Returns the numbers of the examples in the batch of a step."""
        return np.concatenate([part.arrays["example"][part.indices(step)] for part in self.parts])

    def __call__(self, first_step: int) -> Iterator[dict[str, np.ndarray]]:
        for step in itertools.count(first_step):
            chosen = self.indices(step)
            yield {name: array[chosen] for name, array in self.arrays.items()}


def labeled_batches(
    split: Split, counts: tuple[int, ...], unlabeled_size: int, labeled_size: int, seed: int
) -> LabeledBatches:
    """Returns batches of unlabeled images, each followed by labeled ones of each subset.

    Args:
        split: the images and labels.
        counts: number of labels of each subset; 0 for all.
        unlabeled_size: number of unlabeled images in a batch.
        labeled_size: number of labeled images of each subset in a batch; a smaller subset comes
            whole.
        seed: from which the subsets and the orders are drawn.

    Raises:
        DataError: there are fewer images than `unlabeled_size`.
    """
    order = balanced_order(split.labels, seed)
    parts = [ArrayBatches({"example": order}, unlabeled_size, seed)]
    for count in counts:
        subset = order[: count or len(order)]
        parts.append(ArrayBatches({"example": subset}, min(labeled_size, len(subset)), seed))
    return LabeledBatches({"images": split.images, "labels": split.labels}, tuple(parts))


def split_batch(
    batch: dict[str, Any], sizes: tuple[int, ...], counts: tuple[int, ...]
) -> tuple[Any, dict[str, dict[str, Any]]]:
    """Takes a batch of `labeled_batches` apart.

    Args:
        batch: "images" and "labels", arrays of NumPy or jax.
        sizes: number of examples of each part, as `LabeledBatches.sizes` has them.
        counts: number of labels of each subset, as given to `labeled_batches`.

    Returns:
        The unlabeled images; and by the name of each count its images and labels.
    """
    ends = np.cumsum(sizes).tolist()
    labeled = {
        count_name(count): {name: array[begin:end] for name, array in batch.items()}
        for count, begin, end in zip(counts, ends[:-1], ends[1:], strict=True)
    }
    return batch["images"][: ends[0]], labeled
