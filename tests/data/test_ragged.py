import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecture_models.data.ragged import Ragged, concatenate

SEQUENCES = [[1, 2, 3], [], [4], [5, 6]]


def as_lists(ragged):
    return [ragged[number].tolist() for number in range(len(ragged))]


@pytest.fixture
def ragged():
    return Ragged.from_sequences(SEQUENCES, np.int32)


def test_sequences_are_read_back(ragged):
    assert as_lists(ragged) == SEQUENCES
    assert ragged[-1].tolist() == [5, 6]
    assert ragged.values.dtype == np.int32
    with pytest.raises(IndexError):
        ragged[4]


def test_elements_may_have_any_shape():
    films = [np.full((count, 4, 3, 1), count, np.uint8) for count in (2, 5)]
    ragged = Ragged.from_sequences(films)
    assert ragged[1].shape == (5, 4, 3, 1)
    assert ragged.padded(6).shape == (2, 6, 4, 3, 1)


@pytest.mark.parametrize(
    "chosen",
    [
        slice(1, 3),
        slice(-1),
        slice(3, 1),
        slice(None, None, -2),
        np.array([3, 0, 0]),
        np.array([], np.int64),
        np.array([True, False, False, True]),
    ],
    ids=str,
)
def test_a_selection_is_that_of_numpy(ragged, chosen):
    numbers = np.arange(len(SEQUENCES))[chosen]
    assert as_lists(ragged[chosen]) == [SEQUENCES[number] for number in numbers]


def test_a_slice_copies_nothing(ragged):
    assert np.shares_memory(ragged[1:].values, ragged.values)


def test_padding_follows_each_sequence(ragged):
    np.testing.assert_array_equal(
        ragged.padded(4, value=-1),
        [[1, 2, 3, -1], [-1, -1, -1, -1], [4, -1, -1, -1], [5, 6, -1, -1]],
    )
    with pytest.raises(ValueError, match="a sequence has 3 elements; it cannot be padded to 2"):
        ragged.padded(2)


def test_truncation_keeps_the_first_elements(ragged):
    assert as_lists(ragged.truncated(2)) == [[1, 2], [], [4], [5, 6]]
    assert ragged.truncated(2).lengths.tolist() == [2, 0, 1, 2]


def test_raggeds_are_joined_in_their_order(ragged):
    assert as_lists(concatenate([ragged[2:], ragged[:1]])) == [[4], [5, 6], [1, 2, 3]]


def test_an_empty_selection_is_still_a_ragged(ragged):
    empty = ragged[:0]
    assert (len(empty), empty.padded(3).shape) == (0, (0, 3))
    assert len(empty[np.array([], np.int64)]) == 0


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        ([], "there are no sequences"),
        ([[1], 2], "sequence 1 is a single number"),
        ([[1], [2.5]], r"sequence 1 has elements of float64 and shape \(\); the first has int64"),
        ([np.ones((2, 4)), np.ones((2, 5))], r"sequence 1 has .* shape \(5,\); .* \(4,\)"),
    ],
)
def test_sequences_that_do_not_fit_together_are_refused(sequences, message):
    with pytest.raises(ValueError, match=message):
        Ragged.from_sequences(sequences)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [([2, 2], "add up to 4; there are 3 elements"), ([4, -1], "has the length -1")],
)
def test_lengths_that_do_not_fit_the_values_are_refused(lengths, message):
    with pytest.raises(ValueError, match=message):
        Ragged(np.arange(3), np.array(lengths, np.int32))


@given(st.lists(st.lists(st.integers(0, 9), max_size=6), min_size=1, max_size=8), st.data())
def test_any_selection_padded_is_the_sequences_and_then_the_padding(sequences, data):
    ragged = Ragged.from_sequences(sequences, np.int32)
    chosen = np.array(data.draw(st.lists(st.integers(0, len(sequences) - 1))), np.int64)
    padded = ragged[chosen].padded(7, value=-1)
    for row, number in zip(padded.tolist(), chosen, strict=True):
        assert row == sequences[number] + [-1] * (7 - len(sequences[number]))
