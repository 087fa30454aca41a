"""Batches from arrays in memory, chosen by (seed, step) alone, so that a resumed run sees them."""

import dataclasses
import functools
import itertools
from collections.abc import Iterator

import numpy as np
from jaxtyping import Int32

from lecture_models.data.dataset import DataError


@dataclasses.dataclass(frozen=True, eq=False)
class ArrayBatches:
    """Endless shuffled passes over arrays of one length; an epoch's incomplete batch is dropped.

    Calling it with a step gives the batches from that step on: the same for the same step,
    whatever came before. `arrays` and `indices` let an accelerator hold the data and gather
    there.

    Raises DataError where the arrays differ in length or hold less than one batch.
    """

    arrays: dict[str, np.ndarray]
    batch_size: int
    seed: int

    def __post_init__(self):
        lengths = {name: len(array) for name, array in self.arrays.items()}
        if len(set(lengths.values())) != 1:
            raise DataError(f"arrays of one batch differ in length: {lengths}")
        if not 1 <= self.batch_size <= self.num_examples:
            raise DataError(
                f"--batch_size is {self.batch_size}; with {self.num_examples} training examples "
                f"it must be from 1 to {self.num_examples}"
            )

    @property
    def num_examples(self) -> int:
        return len(next(iter(self.arrays.values())))

    @property
    def steps_per_epoch(self) -> int:
        return self.num_examples // self.batch_size

    def indices(self, step: int) -> Int32[np.ndarray, " batch"]:
        """The examples of the batch of one step."""
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
            self._orders.clear()  # One epoch is kept: steps come in order.
            generator = np.random.Generator(np.random.Philox(key=[self.seed, epoch]))
            self._orders[epoch] = generator.permutation(self.num_examples).astype(np.int32)
        return self._orders[epoch]
