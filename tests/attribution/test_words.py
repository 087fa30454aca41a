"""Tests that words' contributions add up."""

import jax
import jax.numpy as jnp
import numpy as np

from lecture_models.attribution.words import margins, word_contributions
from lecture_models.models.text_classifier import RecurrentEncoder, TextClassifier


def test_contributions_of_a_linear_classifier_add_up_to_its_margin():
    kernel = jax.random.normal(jax.random.key(0), (4, 3))
    embedded = jax.random.normal(jax.random.key(1), (2, 5, 4))
    classes = jnp.array([2, 0])

    def classify(vectors):
        return vectors.sum(axis=1) @ kernel

    parts = word_contributions(classify, embedded, classes)
    expected = margins(classify(embedded), classes)
    np.testing.assert_allclose(parts.sum(axis=1), expected, rtol=1e-5)


def test_a_margin_is_the_lead_over_the_mean_of_the_others():
    found = margins(jnp.array([[3.0, 1.0, 2.0], [0.0, 0.0, 6.0]]), jnp.array([0, 1]))
    np.testing.assert_allclose(found, [1.5, -3.0])


def test_contributions_add_up_to_the_slope_of_scaling_all_words():
    model = TextClassifier(9, 3, RecurrentEncoder((5,), bidirectional=True), 6, scale=1.0)
    tokens, lengths = jnp.array([[1, 2, 3, 4], [5, 6, 0, 0]]), jnp.array([4, 2])
    variables = model.init(jax.random.key(0), tokens, lengths)
    embedded = model.apply(variables, tokens, method="embed")
    classes = jnp.array([1, 0])

    def classify(vectors):
        return model.apply(variables, vectors, lengths, method="classify")

    parts = word_contributions(classify, embedded, classes)
    assert not np.asarray(parts)[1, 2:].any()
    step = 1e-2
    ends = [margins(classify(factor * embedded), classes) for factor in (1 + step, 1 - step)]
    slope = (ends[0] - ends[1]) / (2 * step)
    np.testing.assert_allclose(parts.sum(axis=1), slope, rtol=2e-2, atol=1e-4)
