"""Batches from nested labeled subsets of a split, beside an unlabeled one, by (seed, step)."""

import dataclasses
import itertools
import math
from collections.abc import Iterator

import numpy as np
from jaxtyping import Array, Int

from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import DataError, Dataset, Split

ALL = 0  # The label count that stands for the whole split.


def count_name(count: int) -> str:
    """As it stands in the names of metrics: "100", "all"."""
    return "all" if count == ALL else str(count)


def count_names(counts: tuple[int, ...]) -> tuple[str, ...]:
    """The smallest first."""
    return tuple(count_name(count) for count in sorted(counts, key=lambda count: count or math.inf))


def require_labels(dataset: Dataset, counts: tuple[int, ...]) -> None:
    """Raises DataError where there is nothing to tell apart, or fewer labels than are asked for."""
    name, classes = dataset.provenance.dataset, dataset.classes
    if len(classes) < 2:
        raise DataError(
            f"a classifier needs two classes or more; {name} has {len(classes)}: give labeled "
            "data, for pictures of your own a folder with a sub-folder for each class"
        )
    most = len(dataset.train.labels)
    for count in counts:
        if count != ALL and not len(classes) <= count <= most:
            raise DataError(
                f"--label_counts has {count}; with {len(classes)} classes and {most} training "
                f"images of {name} it must be from {len(classes)} to {most}, or 0 for all"
            )


def balanced_order(labels: Int[np.ndarray, " example"], seed: int) -> Int[np.ndarray, " example"]:
    """All examples in an order whose every beginning has the classes as evenly as can be.

    So the subsets that are its beginnings are nested and balanced: no class is ahead of another
    by more than one, while both last. Drawn by the seed alone.
    """
    drawn = np.random.default_rng(seed).permutation(len(labels))
    turn = np.empty(len(labels), np.int64)  # How many of its class were drawn before.
    for label in np.unique(labels):
        members = np.flatnonzero(labels[drawn] == label)
        turn[members] = np.arange(len(members))
    return drawn[np.argsort(turn, kind="stable")].astype(np.int32)


@dataclasses.dataclass(frozen=True, eq=False)
class LabeledBatches:
    """Batches of `arrays` in parts, one behind the other along the first axis; `sizes` are theirs.

    The first part is of all examples, every further one of the labeled subset of one of `counts`.
    What `ArrayBatches` promises holds for each part by itself, so an accelerator may gather here
    too.

    Raises DataError where a batch is larger than what it is drawn from.
    """

    arrays: dict[str, np.ndarray]
    parts: tuple[ArrayBatches, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(part.batch_size for part in self.parts)

    def indices(self, step: int) -> Int[np.ndarray, " batch"]:
        """The examples of the batch of one step."""
        return np.concatenate([part.arrays["example"][part.indices(step)] for part in self.parts])

    def __call__(self, first_step: int) -> Iterator[dict[str, np.ndarray]]:
        for step in itertools.count(first_step):
            chosen = self.indices(step)
            yield {name: array[chosen] for name, array in self.arrays.items()}


def labeled_batches(
    split: Split, counts: tuple[int, ...], unlabeled_size: int, labeled_size: int, seed: int
) -> LabeledBatches:
    """Of one size for unlabeled images, and of another, or the subset's where that is less."""
    order = balanced_order(split.labels, seed)
    parts = [ArrayBatches({"example": order}, unlabeled_size, seed)]
    for count in counts:
        subset = order[: count or len(order)]
        parts.append(ArrayBatches({"example": subset}, min(labeled_size, len(subset)), seed))
    return LabeledBatches({"images": split.images, "labels": split.labels}, tuple(parts))


def split_batch(
    batch: dict[str, Array], sizes: tuple[int, ...], counts: tuple[int, ...]
) -> tuple[Array, dict[str, dict[str, Array]]]:
    """The unlabeled images of a batch, and the images and labels for each count's name."""
    ends = np.cumsum(sizes).tolist()
    labeled = {
        count_name(count): {name: array[begin:end] for name, array in batch.items()}
        for count, begin, end in zip(counts, ends[:-1], ends[1:], strict=True)
    }
    return batch["images"][: ends[0]], labeled
