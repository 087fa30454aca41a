import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_models.data.dataset import DataError, Split
from lecture_models.data.ragged import Ragged
from lecture_models.data.ragged_batches import ragged_batches

LENGTHS = [1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 8, 9, 9, 10, 12, 15, 20]


def sentences(lengths):
    """Returns a split whose sentence number n consists of the number n + 1."""
    tokens = [np.full(length, number + 1, np.int32) for number, length in enumerate(lengths)]
    arrays = {"tokens": Ragged.from_sequences(tokens), "labels": np.arange(len(lengths))}
    return Split(arrays)


def batches(batch_size=3, seed=0, lengths=LENGTHS, **options):
    return ragged_batches(sentences(lengths), batch_size, seed, **options)


THREE_BUCKETS = {"bucket_lengths": {"tokens": (4, 9, 20)}}


def taken(source, first, count):
    return list(itertools.islice(source(first), count))


def assert_equal(found, expected):
    for batch, other in zip(found, expected, strict=True):
        assert batch.keys() == other.keys()
        for name in batch:
            np.testing.assert_array_equal(batch[name], other[name])


def test_a_step_gives_the_same_batch_whatever_came_before():
    source = batches(**THREE_BUCKETS)
    whole = taken(source, 0, 25)
    for first in (7, 0, 13, 2, source.steps_per_epoch, 9):
        assert_equal(taken(source, first, 3), whole[first : first + 3])


def test_a_run_that_is_killed_in_mid_epoch_goes_on_with_the_same_batches():
    whole = taken(batches(**THREE_BUCKETS), 0, 25)
    killed_at = batches(**THREE_BUCKETS).steps_per_epoch + 2
    resumed = taken(batches(**THREE_BUCKETS), killed_at, 25 - killed_at)
    assert_equal(resumed, whole[killed_at:])


def test_every_example_comes_once_per_epoch_and_repeats_have_no_weight():
    source = batches(**THREE_BUCKETS)
    for epoch in range(3):
        rows = taken(source, epoch * source.steps_per_epoch, source.steps_per_epoch)
        labels = np.concatenate([batch["labels"] for batch in rows])
        weights = np.concatenate([batch["weights"] for batch in rows])
        assert sorted(labels[weights == 1.0]) == list(range(len(LENGTHS)))
        assert set(weights) == {0.0, 1.0}
        assert len(labels) == 3 * source.steps_per_epoch


def test_padding_and_lengths_belong_to_their_sentence():
    for batch in taken(batches(**THREE_BUCKETS, padding={"tokens": -7}), 0, 12):
        for row, length, label in zip(
            batch["tokens"], batch["tokens_lengths"], batch["labels"], strict=True
        ):
            assert length == LENGTHS[label]
            assert row.tolist() == [label + 1] * length + [-7] * (len(row) - length)


def test_there_are_as_many_shapes_as_buckets():
    source = batches(**THREE_BUCKETS)
    shapes = {batch["tokens"].shape for batch in taken(source, 0, 4 * source.steps_per_epoch)}
    assert shapes == {(3, 4), (3, 9), (3, 20)}


def test_a_batch_has_sentences_of_the_smallest_bucket_that_they_fit():
    for batch in taken(batches(**THREE_BUCKETS), 0, 12):
        length = batch["tokens"].shape[1]
        least = {4: 1, 9: 5, 20: 10}[length]
        assert ((least <= batch["tokens_lengths"]) & (batch["tokens_lengths"] <= length)).all()


def test_buckets_take_turns_and_epochs_and_seeds_differ():
    orders = set()
    for seed in range(3):
        source = batches(seed=seed, **THREE_BUCKETS)
        for epoch in range(3):
            rows = taken(source, epoch * source.steps_per_epoch, source.steps_per_epoch)
            orders.add(tuple(tuple(batch["labels"].tolist()) for batch in rows))
    assert len(orders) == 9
    widths = [batch["tokens"].shape[1] for batch in taken(batches(**THREE_BUCKETS), 0, 8)]
    assert 1 + np.count_nonzero(np.diff(widths)) > 3


def test_the_order_is_the_same_on_every_machine_and_numpy():
    # NumPy promises Philox's stream, not `permutation`: a change would break resumed runs.
    labels = [batch["labels"].tolist() for batch in taken(batches(**THREE_BUCKETS), 0, 3)]
    assert labels == [[14, 9, 10], [18, 16, 17], [5, 0, 6]]


def test_default_lengths_are_quantiles_of_the_sentences_lengths():
    lengths = list(range(1, 101))
    source = batches(lengths=lengths)
    assert [bucket.lengths["tokens"] for bucket in source.buckets] == [51, 91, 100]
    assert [len(bucket.members) for bucket in source.buckets] == [51, 40, 9]


def test_sentences_of_one_length_have_one_bucket():
    (bucket,) = batches(lengths=[5] * 9).buckets
    assert (bucket.lengths["tokens"], len(bucket.members)) == (5, 9)


def test_default_buckets_with_less_than_a_batch_are_joined():
    source = batches(batch_size=16, lengths=list(range(1, 101)))
    assert [bucket.lengths["tokens"] for bucket in source.buckets] == [51, 100]
    (bucket,) = batches(batch_size=20).buckets
    assert bucket.lengths["tokens"] == 20
    np.testing.assert_array_equal(bucket.members, np.arange(20))


def test_a_pair_is_in_the_first_bucket_that_both_of_its_sentences_fit():
    split = Split(
        {
            "source": Ragged.from_sequences([[1] * n for n in (2, 2, 5, 5)], np.int32),
            "target": Ragged.from_sequences([[1] * n for n in (3, 9, 3, 9)], np.int32),
        }
    )
    source = ragged_batches(split, 1, 0, {"source": (2, 5), "target": (3, 9)})
    assert [bucket.members.tolist() for bucket in source.buckets] == [[0], [1, 2, 3]]
    assert [bucket.lengths for bucket in source.buckets] == [
        {"source": 2, "target": 3},
        {"source": 5, "target": 9},
    ]


def test_sequences_of_frames_are_padded_with_whole_frames():
    films = [np.full((count, 2, 3, 1), count, np.float32) for count in (3, 5, 4)]
    source = ragged_batches(Split({"frames": Ragged.from_sequences(films)}), 3, 0)
    (batch,) = taken(source, 0, 1)
    assert batch["frames"].shape == (3, 5, 2, 3, 1)
    for film, length in zip(batch["frames"], batch["frames_lengths"], strict=True):
        assert (film[:length] == length).all()
        assert not film[length:].any()


def test_sentences_that_are_too_long_are_truncated_on_request():
    lengths = {"tokens": (4, 9)}
    source = batches(bucket_lengths=lengths, truncate=True)
    found = [max(batch["tokens_lengths"]) for batch in taken(source, 0, source.steps_per_epoch)]
    assert max(found) == 9
    with pytest.raises(DataError) as caught:
        batches(bucket_lengths=lengths)
    assert str(caught.value) == (
        "the last bucket length of tokens is 9; it must be at least 20, the length of sequence 19, "
        "or sequences must be truncated"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lengths": [3, 0, 2, 0]}, "2 sequences of tokens are empty, the first is number 1;"),
        ({"batch_size": 0}, "--batch_size is 0; with 20 training examples it must be from 1 to 20"),
        ({"batch_size": 21}, "--batch_size is 21; with 20 training"),
        (
            {"batch_size": 5, **THREE_BUCKETS},
            "--batch_size is 5; it must be at most 4, .* bucket of length tokens 20",
        ),
        (
            {"bucket_lengths": {"tokens": (9, 4, 20)}},
            r"are \[9, 4, 20\]; .* ascending",
        ),
        ({"bucket_lengths": {"tokens": (0, 20)}}, "must be at least 1"),
        ({"bucket_lengths": {"words": (20,)}}, "given for words; they must be given for tokens"),
    ],
)
def test_what_cannot_be_batched_is_refused(options, message):
    with pytest.raises(DataError, match=message):
        batches(**options)


def test_pairs_need_equally_many_lengths():
    tokens = Ragged.from_sequences([[1], [1, 1]], np.int32)
    split = Split({"source": tokens, "target": tokens})
    with pytest.raises(DataError, match="must be equal: source 2, target 1"):
        ragged_batches(split, 1, 0, {"source": (1, 2), "target": (2,)})


def test_splits_without_sequences_and_names_of_the_batches_own_are_refused():
    with pytest.raises(ValueError, match="none of labels is a Ragged; use ArrayBatches"):
        ragged_batches(Split({"labels": np.arange(3)}), 1, 0)
    tokens = Ragged.from_sequences([[1]], np.int32)
    with pytest.raises(ValueError, match="batches have their own tokens_lengths, weights"):
        ragged_batches(
            Split({"tokens": tokens, "weights": np.ones(1), "tokens_lengths": np.ones(1)}), 1, 0
        )


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=40),
    st.integers(1, 8),
    st.integers(0, 2**32),
    st.integers(0, 200),
)
def test_any_lengths_give_whole_epochs_from_any_step(lengths, batch_size, seed, first):
    batch_size = min(batch_size, len(lengths))
    source = batches(batch_size, seed, lengths)
    assert len(source.buckets) <= 3
    assert all(len(bucket.members) >= batch_size for bucket in source.buckets)
    start = first - first % source.steps_per_epoch
    epoch = taken(source, start, source.steps_per_epoch)
    assert_equal(taken(source, first, 1), [epoch[first - start]])
    seen = np.concatenate([batch["labels"][batch["weights"] == 1.0] for batch in epoch])
    assert sorted(seen) == list(range(len(lengths)))
    for batch in epoch:
        mask = np.arange(batch["tokens"].shape[1]) < batch["tokens_lengths"][:, None]
        expected = mask * (batch["labels"][:, None] + 1)
        np.testing.assert_array_equal(batch["tokens"], expected)
