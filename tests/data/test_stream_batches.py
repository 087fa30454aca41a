"""Tests the chunks of one long sequence."""

import itertools

import numpy as np
import pytest

from lecture_models.data.dataset import DataError
from lecture_models.data.stream_batches import StreamBatches

BATCHES = StreamBatches(np.arange(1_003, dtype=np.int32), batch_size=4, chunk=10, seed=3)


def test_each_chunk_continues_the_one_before_in_its_row():
    per_epoch = BATCHES.steps_per_epoch
    assert per_epoch == 24
    batches = list(itertools.islice(BATCHES(0), per_epoch + 1))
    for before, after in itertools.pairwise(batches[:per_epoch]):
        np.testing.assert_array_equal(after["tokens"][:, 0], before["tokens"][:, -1])
        assert not after["fresh"].any()
    assert batches[0]["fresh"].all()
    assert batches[per_epoch]["fresh"].all()


def test_an_element_comes_at_most_once_per_epoch_and_nearly_all_come():
    targets = np.concatenate(
        [batch["tokens"][:, 1:].ravel() for batch in itertools.islice(BATCHES(0), 24)]
    )
    assert len(np.unique(targets)) == len(targets) == 960
    assert targets.max() < 1_003


def test_epochs_cut_the_sequence_at_other_places():
    firsts = {int(BATCHES.batch(24 * epoch)["tokens"][0, 0]) for epoch in range(12)}
    assert len(firsts) > 3
    assert max(firsts) < 10


def test_a_step_always_gets_the_same_batch():
    resumed = next(iter(BATCHES(57)))
    expected = next(itertools.islice(BATCHES(0), 57, None))
    np.testing.assert_array_equal(resumed["tokens"], expected["tokens"])


def test_a_text_that_is_too_short_is_refused():
    with pytest.raises(DataError, match="has 79 characters; with --batch_size=4 and --chunk=10"):
        StreamBatches(np.zeros(79, np.int32), 4, 10, 0)
    assert StreamBatches(np.zeros(80, np.int32), 4, 10, 0).steps_per_epoch == 1
