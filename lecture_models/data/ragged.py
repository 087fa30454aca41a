"""Holds sequences of unequal length in one array."""

import dataclasses
import functools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped


@dataclasses.dataclass(frozen=True, eq=False)
class Ragged:
    """Holds sequences of unequal length as one array of all their elements.

    An element has any shape and type: a token's id has shape (), a box (4,), a film's frame
    (height, width, channel). `len(ragged)` is the number of sequences and `ragged[3]` is one of
    them. A slice, an array of indices or an array of booleans selects sequences, as in NumPy.

    Attributes:
        values: the elements of all sequences, one sequence after the other.
        lengths: the number of elements of each sequence, at least 0.

    Raises:
        ValueError: a length is negative, or the lengths do not add up to the number of elements.
    """

    values: Shaped[np.ndarray, "element ..."]
    lengths: Int[np.ndarray, " sequence"]

    def __post_init__(self):
        if len(self.lengths) and self.lengths.min() < 0:
            raise ValueError(f"a sequence has the length {self.lengths.min()}; it must be >= 0")
        if self.offsets[-1] != len(self.values):
            raise ValueError(
                f"the lengths of {len(self):,} sequences add up to {self.offsets[-1]:,}; there are "
                f"{len(self.values):,} elements"
            )

    @classmethod
    def from_sequences(cls, sequences: Iterable[Any], dtype: Any = None) -> "Ragged":
        """Returns the sequences, in their order.

        Args:
            sequences: at least one; each an array or a list with its elements along the first axis.
            dtype: the type of the elements; None for the type that NumPy finds.

        Raises:
            ValueError: there is no sequence, or two differ in the type or shape of their elements.
        """
        arrays = [np.asarray(sequence, dtype) for sequence in sequences]
        if not arrays:
            raise ValueError("there are no sequences; there must be at least one")
        first = arrays[0]
        for number, array in enumerate(arrays):
            if array.ndim == 0:
                raise ValueError(f"sequence {number} is a single number; it must have elements")
            if (array.dtype, array.shape[1:]) != (first.dtype, first.shape[1:]):
                raise ValueError(
                    f"sequence {number} has elements of {array.dtype} and shape {array.shape[1:]}; "
                    f"the first has {first.dtype} and {first.shape[1:]}"
                )
        return cls(np.concatenate(arrays), np.array([len(array) for array in arrays], np.int32))

    @functools.cached_property
    def offsets(self) -> Int[np.ndarray, " sequence_and_end"]:
        """Lists where each sequence begins in `values`, and last where the last one ends."""
        return np.concatenate([[0], np.cumsum(self.lengths, dtype=np.int64)])

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, chosen: Any) -> Any:  # One sequence, or a Ragged of several.
        if isinstance(chosen, int | np.integer):
            sequence = range(len(self))[chosen]
            return self.values[self.offsets[sequence] : self.offsets[sequence + 1]]
        sequences = np.arange(len(self))[chosen]
        lengths = self.lengths[sequences]
        if isinstance(chosen, slice) and chosen.step in (None, 1):  # A view: nothing is copied.
            start = chosen.indices(len(self))[0]
            begin, end = self.offsets[start], self.offsets[start + len(sequences)]
            return Ragged(self.values[begin:end], lengths)
        places = _places_within(lengths) + np.repeat(self.offsets[sequences], lengths)
        return Ragged(self.values[places], lengths)

    def truncated(self, length: int) -> "Ragged":
        """Returns the first `length` elements of each sequence, or all where it has fewer."""
        kept = _places_within(self.lengths) < length
        return Ragged(self.values[kept], np.minimum(self.lengths, length))

    def padded(self, length: int, value: Any = 0) -> Shaped[np.ndarray, "sequence length ..."]:
        """Returns one array, in which `value` follows each sequence up to `length` elements.

        Raises:
            ValueError: a sequence is longer than `length`.
        """
        if len(self) and self.lengths.max() > length:
            raise ValueError(
                f"a sequence has {self.lengths.max()} elements; it cannot be padded to {length}"
            )
        array = np.full((len(self), length, *self.values.shape[1:]), value, self.values.dtype)
        array[np.arange(length) < self.lengths[:, None]] = self.values
        return array


def concatenate(parts: Sequence[np.ndarray] | Sequence[Ragged]) -> np.ndarray | Ragged:
    """Returns all examples of arrays, or all sequences of `Ragged`s, in their order."""
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    values = np.concatenate([part.values for part in parts])
    return Ragged(values, np.concatenate([part.lengths for part in parts]))


def _places_within(lengths: Int[np.ndarray, " sequence"]) -> Int[np.ndarray, " element"]:
    """Returns the place of each element within its sequence: 0, 1, ..., again from 0, ..."""
    ends = np.cumsum(lengths, dtype=np.int64)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)
