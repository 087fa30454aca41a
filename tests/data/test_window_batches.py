import itertools

import numpy as np
import pytest

from lecture_models.data.dataset import DataError
from lecture_models.data.ragged import Ragged
from lecture_models.data.window_batches import WindowBatches

LENGTHS = (2, 9, 5, 14, 3, 7)


def sequences():
    """Returns sequences whose elements are their own numbers: 100 k, 100 k + 1, ..."""
    return Ragged.from_sequences(
        [100 * number + np.arange(length) for number, length in enumerate(LENGTHS, 1)]
    )


def pairs(batches, steps):
    """Lists each pair of an input and its target, in all rows."""
    found = []
    for step in steps:
        batch = batches.batch(step)
        for elements, length in zip(batch["elements"], batch["lengths"], strict=True):
            found += list(
                zip(elements[:length].tolist(), elements[1 : length + 1].tolist(), strict=True)
            )
    return found


@pytest.mark.parametrize(("batch_size", "window"), [(1, 4), (3, 4), (2, 1), (2, 100)])
def test_an_epoch_predicts_every_element_but_the_first_once(batch_size, window):
    batches = WindowBatches(sequences(), batch_size, window, seed=0)
    for epoch in range(2):
        steps = range(epoch * batches.steps_per_epoch, (epoch + 1) * batches.steps_per_epoch)
        expected = [
            (100 * number + place, 100 * number + place + 1)
            for number, length in enumerate(LENGTHS, 1)
            for place in range(length - 1)
        ]
        assert sorted(pairs(batches, steps)) == expected


def test_a_row_goes_on_where_it_was_unless_it_is_fresh():
    batches = WindowBatches(sequences(), 3, 4, seed=1)
    last = np.full(3, -1)
    begins = []
    for step in range(2 * batches.steps_per_epoch):
        batch = batches.batch(step)
        for row in range(3):
            if not batch["lengths"][row]:
                continue
            first = int(batch["elements"][row, 0])
            if batch["fresh"][row]:
                begins.append(first)
            else:
                assert first == last[row]
            last[row] = batch["elements"][row, batch["lengths"][row]]
    assert sum(begin % 100 == 0 for begin in begins) == 2 * len(LENGTHS)


def test_a_step_always_gets_the_same_batch_and_epochs_differ():
    one, two = (WindowBatches(sequences(), 2, 4, seed=3) for _ in range(2))
    late = next(iter(one(13)))
    batch = next(itertools.islice(two(0), 13, None))
    assert all((late[name] == batch[name]).all() for name in late)
    steps = one.steps_per_epoch
    assert pairs(one, range(steps)) != pairs(one, range(steps, 2 * steps))


def test_a_change_is_drawn_anew_for_each_epoch():
    def negate_or_not(elements, number, generator):
        return elements * generator.choice([-1, 1])

    batches = WindowBatches(sequences(), 1, 50, seed=0, change=negate_or_not)
    signs = [
        tuple(
            sorted(
                np.sign(target) * (abs(target) // 100)
                for _, target in pairs(batches, range(e, e + 6))
            )
        )
        for e in (0, 6, 12)
    ]
    assert len(set(signs)) == 3


def test_sequences_of_one_element_and_too_many_rows_are_refused():
    with pytest.raises(DataError, match="sequence 1 has 1 elements; it must have at least 2"):
        WindowBatches(Ragged.from_sequences([[1, 2], [3]]), 1, 4, 0)
    with pytest.raises(
        DataError, match="--batch_size is 20; with windows of 4 it must be at most 11"
    ):
        WindowBatches(sequences(), 20, 4, 0)
