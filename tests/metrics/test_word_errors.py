import itertools

import numpy as np
import pytest

from lecture_models.metrics.word_errors import WordErrors, total_errors, word_errors


@pytest.mark.parametrize(
    ("said", "heard", "errors"),
    [
        ("yes no yes", "yes no yes", (0, 0, 0, 3)),
        ("yes no yes", "yes yes yes", (1, 0, 0, 3)),
        ("yes no yes", "yes yes", (0, 1, 0, 3)),
        ("yes no", "yes no no", (0, 0, 1, 2)),
        ("one two three", "", (0, 3, 0, 3)),
        ("", "one", (0, 0, 1, 0)),
        ("one two three four", "zero one two four", (0, 1, 1, 4)),
    ],
)
def test_errors_are_those_counted_by_hand(said, heard, errors):
    assert word_errors(said.split(), heard.split()) == WordErrors(*errors)


def fewest(said, heard):
    """Returns the distance by its recursive definition."""
    if not said or not heard:
        return len(said) + len(heard)
    return min(
        fewest(said[1:], heard[1:]) + (said[0] != heard[0]),
        fewest(said[1:], heard) + 1,
        fewest(said, heard[1:]) + 1,
    )


def test_the_count_is_the_smallest_for_all_short_sequences():
    sequences = [
        sequence for length in range(4) for sequence in itertools.product("ab", repeat=length)
    ]
    for said, heard in itertools.product(sequences, repeat=2):
        errors = word_errors(said, heard)
        assert errors.count == fewest(said, heard)
        assert errors.insertions - errors.deletions == len(heard) - len(said)


def test_the_rate_may_exceed_100_and_is_that_of_all_words_together():
    assert word_errors(["a"], ["b", "b", "b"]).rate_percent == pytest.approx(300.0)
    total = total_errors([(["a"], ["b"]), (np.array([1, 2, 3]), np.array([1, 2, 3]))])
    assert total == WordErrors(1, 0, 0, 4)
    assert total.rate_percent == pytest.approx(25.0)


def test_there_is_no_rate_without_words():
    with pytest.raises(ValueError, match="no word error rate of 0 words"):
        _ = WordErrors().rate_percent
