"""Cuts sequences of unequal length into windows for truncated back-propagation through time.

All windows have one shape, so a training step is compiled once; only the last window of a sequence
is padded. `ragged_batches.py` pads whole sequences instead, which for pieces of 40 to 1,788 frames
would be mostly padding.
"""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Shaped

from lecture_models.data.dataset import DataError
from lecture_models.data.ragged import Ragged

Batch = dict[str, Shaped[np.ndarray, "batch ..."]]
# From the elements of a sequence, its number and a generator to the elements to train on.
Change = Callable[[Shaped[np.ndarray, "element ..."], int, np.random.Generator], np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class WindowBatches:
    """Reads all sequences once per epoch, in `batch_size` rows, window after window.

    The windows of all sequences, in an order drawn for each epoch, are dealt out to the rows in
    equal contiguous shares, so that a window continues the one before it in its row until a
    sequence ends. A sequence in which a row begins is continued from its middle.
    `batches(first_step)` yields the batches from a step on; a step always gets the same batch.

    A batch has

    - `elements`, (batch, window + 1, ...): the inputs and, one place later, their targets;
    - `lengths`, int32 (batch,): the number of real targets in each row, 0 in a row that has ended;
    - `fresh`, bool (batch,): True where the carry must be zeros.

    Attributes:
        sequences: the sequences, each with at least 2 elements.
        batch_size: the number of rows.
        window: the number of elements that are predicted per step and row.
        seed: from which the orders and the changes are drawn.
        change: alters a sequence before an epoch, such as a transposition; it keeps the length.

    Raises:
        DataError: a sequence has less than 2 elements, or there are fewer windows than rows.
    """

    sequences: Ragged
    batch_size: int
    window: int
    seed: int
    change: Change | None = None

    def __post_init__(self):
        if self.sequences.lengths.min() < 2:
            raise DataError(
                f"sequence {int(self.sequences.lengths.argmin()):,} has "
                f"{int(self.sequences.lengths.min())} elements; it must have at least 2, since the "
                "first one is not predicted"
            )
        if (count := int(self._counts.sum())) < self.batch_size:
            raise DataError(
                f"--batch_size is {self.batch_size}; with windows of {self.window} it must be at "
                f"most {count}, the number of windows"
            )

    @functools.cached_property
    def _counts(self) -> np.ndarray:
        """Lists the number of windows of each sequence."""
        return -(-(self.sequences.lengths.astype(np.int64) - 1) // self.window)

    @property
    def steps_per_epoch(self) -> int:
        """Returns the number of batches in which every window comes once."""
        return -(-int(self._counts.sum()) // self.batch_size)

    def batch(self, step: int) -> Batch:
        """Returns the batch of a step."""
        epoch, position = divmod(step, self.steps_per_epoch)
        order, sequences = self._epoch(epoch)
        rows = np.arange(self.batch_size) * self.steps_per_epoch + position
        shape = (self.batch_size, self.window + 1, *self.sequences.values.shape[1:])
        elements = np.zeros(shape, self.sequences.values.dtype)
        lengths = np.zeros(self.batch_size, np.int32)
        fresh = np.full(self.batch_size, position == 0)
        for row, place in enumerate(rows):
            if place >= len(order):
                continue
            sequence, number = order[place]
            begin = number * self.window
            found = sequences[sequence][begin : begin + self.window + 1]
            elements[row, : len(found)] = found
            lengths[row] = len(found) - 1
            fresh[row] |= number == 0
        return {"elements": elements, "lengths": lengths, "fresh": fresh}

    def __call__(self, first_step: int) -> Iterator[Batch]:
        return map(self.batch, itertools.count(first_step))

    @functools.cached_property
    def _epochs(self) -> dict[int, tuple[np.ndarray, list[np.ndarray]]]:
        return {}

    def _epoch(self, epoch: int) -> tuple[np.ndarray, list[np.ndarray]]:
        """Returns sequence and number of each window in the epoch's order, and the sequences."""
        if epoch not in self._epochs:
            self._epochs.clear()  # One epoch is kept, because steps come in order.
            generator = np.random.Generator(np.random.Philox(key=[self.seed, epoch]))
            order = generator.permutation(len(self.sequences))
            windows = [(sequence, k) for sequence in order for k in range(self._counts[sequence])]
            sequences = [self.sequences[number] for number in range(len(self.sequences))]
            if self.change is not None:
                sequences = [
                    self.change(elements, number, generator)
                    for number, elements in enumerate(sequences)
                ]
            self._epochs[epoch] = (np.array(windows), sequences)
        return self._epochs[epoch]
