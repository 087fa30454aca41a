"""Tests mixtures of Bernoulli variables: monotone, normalized, and right where truth is known."""

import itertools

import numpy as np
import pytest

from lecture_models.linear.bernoulli_mixture import (
    BernoulliMixture,
    fit_mixture,
    log_likelihood,
    sample,
)

ALL = np.asarray(list(itertools.product([0.0, 1.0], repeat=6)), np.float32)


def true_mixture():
    means = np.asarray([[0.9, 0.9, 0.9, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.9, 0.9, 0.5]])
    logits = np.log(means / (1.0 - means)).astype(np.float32)
    return BernoulliMixture(np.log(np.asarray([0.3, 0.7], np.float32)), logits)


def drawn(count, seed=0):
    return sample(true_mixture(), np.random.default_rng(seed), count)


def entropy(mixture):
    log_p = log_likelihood(mixture, ALL).astype(np.float64)
    return float(-(np.exp(log_p) * log_p).sum())


def test_the_probabilities_of_all_examples_add_up_to_one():
    assert np.exp(log_likelihood(true_mixture(), ALL)).sum() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("pseudo_count", [0.0, 0.5])
def test_expectation_maximization_never_lowers_its_objective(pseudo_count):
    bits = np.random.default_rng(0).integers(0, 2, (300, 12)).astype(np.float32)
    objectives = fit_mixture(np.random.default_rng(0), bits, 7, 40, pseudo_count).objectives
    assert len(objectives) == 41
    assert np.all(np.diff(objectives) > -1e-5)
    assert objectives[-1] > objectives[0] + 0.1


def test_without_a_prior_the_objective_is_the_likelihood():
    bits = drawn(500)
    fit = fit_mixture(np.random.default_rng(0), bits, 2, 5, 0.0)
    assert fit.objectives[-1] == pytest.approx(log_likelihood(fit.mixture, bits).mean(), abs=1e-4)


def test_one_component_is_the_independent_bernoulli():
    bits = drawn(1_000)
    fit = fit_mixture(np.random.default_rng(0), bits, 1, 1, 0.0)
    means = bits.mean(0)
    independent = (bits * np.log(means) + (1.0 - bits) * np.log(1.0 - means)).sum(1)
    np.testing.assert_allclose(log_likelihood(fit.mixture, bits), independent, rtol=1e-4)


def test_the_nats_of_a_known_mixture_are_recovered():
    fit = fit_mixture(np.random.default_rng(1), drawn(8_000), 2, 60)
    held_out = -log_likelihood(fit.mixture, drawn(8_000, seed=1)).mean()
    assert held_out == pytest.approx(entropy(true_mixture()), abs=0.05)
    assert sorted(np.exp(fit.mixture.log_weights)) == pytest.approx([0.3, 0.7], abs=0.03)
    assert (
        held_out
        < -log_likelihood(
            fit_mixture(np.random.default_rng(1), drawn(8_000), 1, 1).mixture, drawn(8_000, seed=1)
        ).mean()
        - 0.3
    )


def test_a_prior_keeps_unseen_bits_possible():
    fit = fit_mixture(np.random.default_rng(0), np.zeros((10, 3), np.float32), 2, 5, 0.1)
    assert np.all(np.isfinite(log_likelihood(fit.mixture, np.ones((1, 3), np.float32))))


@pytest.mark.parametrize(
    ("bits", "components", "iterations", "pseudo_count", "message"),
    [
        ([[0.5]], 1, 1, 0.1, "bits have a value of 0.5; each must be 0 or 1"),
        ([[1.0]], 2, 1, 0.1, "2 components of 1 examples; the number must be from 1 to 1"),
        ([[1.0]], 1, 0, 0.1, "0 iterations; the number must be at least 1"),
        ([[1.0]], 1, 1, -1.0, "pseudo_count is -1.0; it must be at least 0"),
    ],
)
def test_wrong_bits_and_numbers_are_refused(bits, components, iterations, pseudo_count, message):
    with pytest.raises(ValueError, match=message):
        fit_mixture(
            np.random.default_rng(0),
            np.asarray(bits, np.float32),
            components,
            iterations,
            pseudo_count,
        )
