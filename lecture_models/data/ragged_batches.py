"""Draws batches of sequences of unequal length, padded to a few lengths, by (seed, step) alone."""

import dataclasses
import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int, Shaped

from lecture_models.data.dataset import DataError, Split
from lecture_models.data.ragged import Ragged

# Half of the sequences fit the first of the default buckets, and 90% the first two.
BUCKET_QUANTILES = (0.5, 0.9, 1.0)

Batch = dict[str, Shaped[np.ndarray, "batch ..."]]


class Bucket(NamedTuple):
    """Describes examples that are padded to the same lengths.

    Attributes:
        lengths: by the name of each `Ragged` of the examples, its length after padding.
        members: numbers of the examples in the split.
    """

    lengths: Mapping[str, int]
    members: Int[np.ndarray, " member"]


@dataclasses.dataclass(frozen=True, eq=False)
class RaggedBatches:
    """Draws batches in endless epochs; `ragged_batches` sorts the examples into buckets.

    The examples of a batch are from one bucket, and the buckets take turns at random. A training
    step is compiled once for each bucket. Every example comes once per epoch: the last batch of a
    bucket is filled with repeats that have the weight 0. `batches(first_step)` yields the batches
    from a step on; a step always gets the same batch, and to begin at any step takes no longer than
    to shuffle one epoch.

    A batch has the arrays of the split, and

    - for each `Ragged`, padded to (batch, length, ...), also `{name}_lengths`, int32 (batch,); with
      them, `jnp.arange(length)[None] < lengths[:, None]` is True before the padding;
    - `weights`, float32 (batch,): 1, or 0 for a repeat. The mean of a loss is
      `(weights * losses).sum() / weights.sum()`.

    The training loop sends such batches to one device, one step at a time.

    Attributes:
        split: the examples, none of whose sequences is empty.
        buckets: each example is in one of them; each has at least `batch_size` members.
        batch_size: number of examples of every batch, with repeats.
        seed: from which the orders are drawn.
        padding: by the name of a `Ragged`, the value of its padding; 0 for those not named.
    """

    split: Split
    buckets: tuple[Bucket, ...]
    batch_size: int
    seed: int
    padding: Mapping[str, Any]

    @property
    def steps_per_epoch(self) -> int:
        """Returns the number of batches in which every example comes once."""
        return sum(-(-len(bucket.members) // self.batch_size) for bucket in self.buckets)

    def batch(self, step: int) -> Batch:
        """Returns the batch of a step."""
        epoch, position = divmod(step, self.steps_per_epoch)
        bucket, members = self._epoch(epoch)[position]
        missing = self.batch_size - len(members)
        chosen = np.concatenate([members, bucket.members[:missing]])
        batch = {"weights": (np.arange(self.batch_size) < len(members)).astype(np.float32)}
        for name, array in self.split.select(chosen).arrays.items():
            if isinstance(array, Ragged):
                batch[name] = array.padded(bucket.lengths[name], self.padding.get(name, 0))
                batch[f"{name}_lengths"] = array.lengths.astype(np.int32)
            else:
                batch[name] = array
        return batch

    def __call__(self, first_step: int) -> Iterator[Batch]:
        return map(self.batch, itertools.count(first_step))

    @functools.cached_property
    def _epochs(self) -> dict[int, list[tuple[Bucket, np.ndarray]]]:
        return {}

    def _epoch(self, epoch: int) -> list[tuple[Bucket, np.ndarray]]:
        """Returns the bucket and the examples, without repeats, of each batch of an epoch."""
        if epoch not in self._epochs:
            self._epochs.clear()  # One epoch is kept, because steps come in order.
            generator = np.random.Generator(np.random.Philox(key=[self.seed, epoch]))
            batches = []
            for bucket in self.buckets:
                order = generator.permutation(bucket.members)
                firsts = range(0, len(order), self.batch_size)
                batches += [(bucket, order[first : first + self.batch_size]) for first in firsts]
            turns = generator.permutation(len(batches))
            self._epochs[epoch] = [batches[turn] for turn in turns]
        return self._epochs[epoch]


def ragged_batches(
    split: Split,
    batch_size: int,
    seed: int,
    bucket_lengths: Mapping[str, Sequence[int]] = MappingProxyType({}),
    padding: Mapping[str, Any] = MappingProxyType({}),
    truncate: bool = False,
) -> RaggedBatches:
    """Sorts examples into buckets by their lengths, and returns their batches.

    An example with several sequences, such as a sentence and its translation, is in the first
    bucket whose lengths all of them fit.

    Args:
        split: the examples, with at least one `Ragged`.
        batch_size: number of examples of every batch.
        seed: from which the orders are drawn.
        bucket_lengths: by the name of each `Ragged`, its padded lengths in ascending order, one for
            each bucket. If empty, they are the quantiles `BUCKET_QUANTILES` of the sequences'
            lengths; buckets with less than one batch are then joined with their neighbors.
        padding: by the name of a `Ragged`, the value of its padding; 0 for those not named.
        truncate: cuts sequences that are longer than their last bucket length; False refuses them.

    Raises:
        DataError: a sequence is empty or too long; bucket lengths are missing, unordered or of
            different number; or a bucket has fewer examples than one batch.
        ValueError: the split has no `Ragged`, or the name of an array is that of another in the
            batch.
    """
    sequences = {name: array for name, array in split.arrays.items() if isinstance(array, Ragged)}
    _check_names(split, sequences)
    _check_sequences(sequences)
    if not 1 <= batch_size <= len(split):
        raise DataError(
            f"--batch_size is {batch_size}; with {len(split)} training examples it must be from 1 "
            f"to {len(split)}"
        )
    if not any(bucket_lengths.values()):
        buckets = _quantile_buckets(sequences, batch_size)
    else:
        _check_bucket_lengths(sequences, bucket_lengths)
        if truncate:
            last = {name: bucket_lengths[name][-1] for name in sequences}
            sequences = {name: array.truncated(last[name]) for name, array in sequences.items()}
            split = Split({**split.arrays, **sequences})
        _check_longest(sequences, bucket_lengths)
        buckets = _sorted_into(sequences, bucket_lengths)
        _check_sizes(buckets, batch_size)
    buckets = tuple(bucket for bucket in buckets if len(bucket.members))
    return RaggedBatches(split, buckets, batch_size, seed, padding)


def _sorted_into(
    sequences: Mapping[str, Ragged], lengths: Mapping[str, Sequence[int]]
) -> list[Bucket]:
    """Returns the buckets, some perhaps empty, of sequences none of which is too long."""
    fits = [np.searchsorted(lengths[name], array.lengths) for name, array in sequences.items()]
    chosen = np.max(fits, axis=0)
    return [
        Bucket(dict(zip(sequences, padded, strict=True)), np.flatnonzero(chosen == number))
        for number, padded in enumerate(zip(*(lengths[name] for name in sequences), strict=True))
    ]


def _quantile_buckets(sequences: Mapping[str, Ragged], batch_size: int) -> list[Bucket]:
    quantiles = {
        name: np.quantile(array.lengths, BUCKET_QUANTILES, method="higher").tolist()
        for name, array in sequences.items()
    }
    while True:
        buckets = _sorted_into(sequences, quantiles)
        small = [k for k, bucket in enumerate(buckets) if 0 < len(bucket.members) < batch_size]
        if not small:
            return buckets
        # Without its own length a bucket joins the next; the last one is joined by the one before.
        for lengths in quantiles.values():
            del lengths[min(small[0], len(lengths) - 2)]


def _check_names(split: Split, sequences: Mapping[str, Ragged]) -> None:
    if not sequences:
        raise ValueError(f"none of {', '.join(split.arrays)} is a Ragged; use ArrayBatches")
    added = {"weights", *(f"{name}_lengths" for name in sequences)}
    if clashing := sorted(added & split.arrays.keys()):
        raise ValueError(f"batches have their own {', '.join(clashing)}; rename the arrays")


def _check_sequences(sequences: Mapping[str, Ragged]) -> None:
    for name, array in sequences.items():
        if len(empty := np.flatnonzero(array.lengths == 0)):
            raise DataError(
                f"{len(empty):,} sequences of {name} are empty, the first is number {empty[0]:,}; "
                "every sequence must have at least one element"
            )


def _check_bucket_lengths(
    sequences: Mapping[str, Ragged], bucket_lengths: Mapping[str, Sequence[int]]
) -> None:
    if bucket_lengths.keys() != sequences.keys():
        raise DataError(
            f"bucket lengths are given for {', '.join(bucket_lengths)}; they must be given for "
            f"{', '.join(sequences)}"
        )
    for name, lengths in bucket_lengths.items():
        if not lengths or lengths[0] < 1 or list(lengths) != sorted(lengths):
            raise DataError(
                f"the bucket lengths of {name} are {list(lengths)}; they must be at least 1 and in "
                "ascending order"
            )
    if len({len(lengths) for lengths in bucket_lengths.values()}) > 1:
        counts = ", ".join(f"{name} {len(lengths)}" for name, lengths in bucket_lengths.items())
        raise DataError(f"the numbers of bucket lengths must be equal: {counts}")


def _check_longest(
    sequences: Mapping[str, Ragged], bucket_lengths: Mapping[str, Sequence[int]]
) -> None:
    for name, array in sequences.items():
        last, longest = bucket_lengths[name][-1], int(array.lengths.max())
        if longest > last:
            raise DataError(
                f"the last bucket length of {name} is {last}; it must be at least {longest}, the "
                f"length of sequence {int(array.lengths.argmax()):,}, or sequences must be "
                "truncated"
            )


def _check_sizes(buckets: list[Bucket], batch_size: int) -> None:
    for bucket in buckets:
        if 0 < len(bucket.members) < batch_size:
            lengths = ", ".join(f"{name} {length}" for name, length in bucket.lengths.items())
            raise DataError(
                f"--batch_size is {batch_size}; it must be at most {len(bucket.members)}, the "
                f"number of examples in the bucket of length {lengths}, or there must be fewer "
                "buckets"
            )
