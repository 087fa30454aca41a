"""Tests tables of n-grams against counting by hand."""

import collections
import math

import numpy as np
import pytest

from lecture_models.metrics.ngrams import draw_ngram_tokens, ngram_nats


def by_hand(train, test, vocabulary, order, added):
    whole = collections.Counter(
        tuple(train[place : place + order]) for place in range(len(train) - order + 1)
    )
    contexts = collections.Counter()
    for ngram, count in whole.items():
        contexts[ngram[:-1]] += count
    nats = []
    for place in range(len(test) - order + 1):
        ngram = tuple(test[place : place + order])
        probability = (whole[ngram] + added) / (contexts[ngram[:-1]] + added * vocabulary)
        nats.append(-math.log(probability))
    return sum(nats) / len(nats)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_table_equals_counting_by_hand(order):
    generator = np.random.default_rng(order)
    train, test = (generator.integers(0, 5, count) for count in (300, 80))
    expected = by_hand(train.tolist(), test.tolist(), 5, order, 0.1)
    assert ngram_nats(train, test, 5, order) == pytest.approx(expected, rel=1e-12)


def test_nothing_counted_is_the_uniform_distribution():
    train, test = np.zeros(50, np.int64), np.array([1, 2, 3, 2, 1])
    assert ngram_nats(train, test, 7, 3) == pytest.approx(math.log(7))


def test_a_text_that_repeats_itself_costs_nothing():
    train = np.tile(np.arange(4), 1_000)
    assert ngram_nats(train, train[:100], 4, 2, added=1e-9) == pytest.approx(0.0, abs=1e-6)


def test_sequences_that_are_too_short_are_refused():
    with pytest.raises(ValueError, match="3-grams of 2 tokens from 9 and 2 tokens"):
        ngram_nats(np.zeros(9, np.int64), np.zeros(2, np.int64), 2, 3)


def test_drawn_tokens_follow_what_they_followed_in_the_text():
    train = np.array([0, 1, 2, 0, 1, 3, 0, 1, 2], np.int32)
    drawn = draw_ngram_tokens(train, np.array([0], np.int32), 2, 400, np.random.default_rng(0))
    pairs = set(zip(train[:-1].tolist(), train[1:].tolist(), strict=True))
    assert set(zip([0, *drawn[:-1].tolist()], drawn.tolist(), strict=True)) <= pairs | {(2, 0)}
    after = drawn[1:][drawn[:-1] == 1]
    assert 0.55 < np.mean(after == 2) < 0.78  # Twice of three times.


def test_an_unknown_context_asks_for_shorter_ones():
    train = np.array([0, 0, 0, 0], np.int32)
    drawn = draw_ngram_tokens(train, np.array([7, 5], np.int32), 3, 5, np.random.default_rng(0))
    assert drawn.tolist() == [0] * 5
    single = draw_ngram_tokens(train, np.array([7], np.int32), 1, 2, np.random.default_rng(0))
    assert single.tolist() == [0, 0]
