import itertools

import numpy as np
import pytest

from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import DataError

ARRAYS = {"image": np.arange(10, dtype=np.float32) * 2.0, "label": np.arange(10, dtype=np.int32)}


def _labels(batches, first, count):
    return [batch["label"].tolist() for batch in itertools.islice(batches(first), count)]


def test_a_step_gives_the_same_batch_whatever_came_before():
    batches = ArrayBatches(ARRAYS, batch_size=3, seed=4)
    from_the_start = _labels(batches, 0, 20)
    for first in (7, 0, 13, 2):
        assert _labels(batches, first, 3) == from_the_start[first : first + 3]
    assert _labels(ArrayBatches(ARRAYS, batch_size=3, seed=4), 7, 3) == from_the_start[7:10]


def test_every_example_comes_once_per_epoch():
    batches = ArrayBatches(ARRAYS, batch_size=5, seed=0)
    for epoch in range(4):
        seen = np.concatenate(_labels(batches, epoch * batches.steps_per_epoch, 2))
        assert sorted(seen) == list(range(10))


def test_an_incomplete_batch_is_dropped():
    batches = ArrayBatches(ARRAYS, batch_size=4, seed=0)
    assert batches.steps_per_epoch == 2
    assert len(np.unique(_labels(batches, 0, 2))) == 8


def test_epochs_and_seeds_differ_in_their_order():
    orders = {
        (seed, epoch): tuple(ArrayBatches(ARRAYS, 10, seed).indices(epoch).tolist())
        for seed in range(5)
        for epoch in range(5)
    }
    assert len(set(orders.values())) == 25


def test_arrays_stay_together():
    for batch in itertools.islice(ArrayBatches(ARRAYS, 3, 1)(0), 10):
        np.testing.assert_array_equal(batch["image"], batch["label"] * 2.0)


def test_the_order_is_the_same_on_every_machine_and_numpy():
    # NumPy promises Philox's stream, not `permutation`: a change would break resumed runs.
    order = ArrayBatches(ARRAYS, 10, seed=0).indices(0)
    assert order.tolist() == [0, 7, 8, 6, 9, 5, 1, 3, 2, 4]


@pytest.mark.parametrize("batch_size", [-1, 0, 11])
def test_a_wrong_batch_size_is_refused(batch_size):
    with pytest.raises(DataError, match=f"batch_size is {batch_size}; with 10 training examples"):
        ArrayBatches(ARRAYS, batch_size, seed=0)


def test_arrays_of_different_length_are_refused():
    with pytest.raises(DataError, match="must have equally many examples"):
        ArrayBatches({"image": ARRAYS["image"], "label": ARRAYS["label"][:-1]}, 2, seed=0)
