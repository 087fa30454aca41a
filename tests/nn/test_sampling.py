"""Tests how tokens are drawn from logits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.nn.sampling import SamplingRule, draw_tokens, restrict

PROBABILITIES = jnp.array([[0.5, 0.3, 0.15, 0.05]])
LOGITS = jnp.log(PROBABILITIES)


def kept(rule):
    return np.flatnonzero(np.isfinite(np.asarray(restrict(LOGITS, rule)[0]))).tolist()


def test_top_k_keeps_the_k_most_probable():
    assert kept(SamplingRule(top_k=2)) == [0, 1]
    assert kept(SamplingRule(top_k=9)) == [0, 1, 2, 3]


@pytest.mark.parametrize(("nucleus", "count"), [(0.4, 1), (0.5, 1), (0.6, 2), (0.9, 3), (1.0, 4)])
def test_the_nucleus_is_the_smallest_set_that_reaches_its_probability(nucleus, count):
    assert kept(SamplingRule(nucleus=nucleus)) == list(range(count))


def test_the_order_of_the_tokens_does_not_matter():
    turned = restrict(LOGITS[:, ::-1], SamplingRule(0.7, top_k=3, nucleus=0.8))
    np.testing.assert_array_equal(
        turned[:, ::-1], restrict(LOGITS, SamplingRule(0.7, top_k=3, nucleus=0.8))
    )


def test_temperature_zero_takes_the_most_probable_and_one_draws_by_probability():
    rows = jnp.tile(LOGITS, (20_000, 1))
    assert set(np.asarray(draw_tokens(jax.random.key(0), rows, SamplingRule(0.0)))) == {0}
    drawn = np.asarray(draw_tokens(jax.random.key(0), rows, SamplingRule(1.0)))
    shares = np.bincount(drawn, minlength=4) / len(drawn)
    np.testing.assert_allclose(shares, PROBABILITIES[0], atol=0.02)


def test_a_low_temperature_sharpens():
    drawn = jax.nn.softmax(restrict(LOGITS, SamplingRule(0.5)))[0]
    squares = PROBABILITIES[0] ** 2
    np.testing.assert_allclose(drawn, squares / squares.sum(), rtol=1e-5)


def test_a_rule_is_described_in_words():
    described = SamplingRule(0.8, top_k=5, nucleus=0.9).described
    assert described == "temperature 0.8, top 5, nucleus 0.9"
