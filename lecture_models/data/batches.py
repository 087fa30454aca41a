"""Draws batches from arrays in memory by (seed, step) alone, so a resumed run gets the same ones.

`ragged_batches.py` does so for sequences of unequal length.
"""

import dataclasses
import functools
import itertools
from collections.abc import Iterator

import numpy as np
from jaxtyping import Int32

from lecture_models.data.dataset import DataError


@dataclasses.dataclass(frozen=True, eq=False)
class ArrayBatches:
    """Draws batches in endless epochs, each in an order of its own.

    Every example comes at most once per epoch: the examples that do not fill a last batch are
    skipped, and are others in each epoch. `batches(first_step)` yields the batches from a step on;
    a step always gets the same batch. `arrays` and `indices` let an accelerator hold the data and
    gather there.

    Attributes:
        arrays: by name, arrays with the examples along the first axis.
        batch_size: number of examples of every batch.
        seed: from which the orders are drawn.

    Raises:
        DataError: the arrays differ in length, or have fewer examples than one batch.
    """

    arrays: dict[str, np.ndarray]
    batch_size: int
    seed: int

    def __post_init__(self):
        lengths = {name: len(array) for name, array in self.arrays.items()}
        if len(set(lengths.values())) != 1:
            raise DataError(f"the arrays of a batch must have equally many examples: {lengths}")
        if not 1 <= self.batch_size <= self.num_examples:
            raise DataError(
                f"--batch_size is {self.batch_size}; with {self.num_examples} training examples "
                f"it must be from 1 to {self.num_examples}"
            )

    @property
    def num_examples(self) -> int:
        """Returns the number of examples of each array."""
        return len(next(iter(self.arrays.values())))

    @property
    def steps_per_epoch(self) -> int:
        """Returns the number of complete batches of an epoch."""
        return self.num_examples // self.batch_size

    def indices(self, step: int) -> Int32[np.ndarray, " batch"]:
        """Returns the numbers of the examples in the batch of a step."""
        epoch, position = divmod(step, self.steps_per_epoch)
        order = self._order(epoch)
        return order[position * self.batch_size : (position + 1) * self.batch_size]

    def __call__(self, first_step: int) -> Iterator[dict[str, np.ndarray]]:
        for step in itertools.count(first_step):
            chosen = self.indices(step)
            yield {name: array[chosen] for name, array in self.arrays.items()}

    @functools.cached_property
    def _orders(self) -> dict[int, np.ndarray]:
        return {}

    def _order(self, epoch: int) -> Int32[np.ndarray, " example"]:
        if epoch not in self._orders:
            self._orders.clear()  # One epoch is kept, because steps come in order.
            generator = np.random.Generator(np.random.Philox(key=[self.seed, epoch]))
            self._orders[epoch] = generator.permutation(self.num_examples).astype(np.int32)
        return self._orders[epoch]
