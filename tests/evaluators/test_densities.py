"""Tests the simple densities against SciPy and scikit-learn, and how they are chosen."""

import jax
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from lecture_models.evaluators import densities

GENERATOR = np.random.default_rng(0)
BITS = GENERATOR.integers(0, 2, (60, 5)).astype(np.float32)
CENTERS = np.asarray([[4.0, 0.0], [-4.0, 0.0]])
CODES = (CENTERS[GENERATOR.integers(0, 2, 400)] + GENERATOR.normal(size=(400, 2))).astype(
    np.float32
)


def test_independent_bits_are_the_means_of_the_examples():
    density = densities.independent_bits(BITS)
    means = (BITS.sum(0) + 0.1) / (len(BITS) + 0.2)
    expected = (BITS * np.log(means) + (1.0 - BITS) * np.log(1.0 - means)).sum(1)
    np.testing.assert_allclose(density.log_density(BITS), expected, rtol=1e-4)
    assert density.nats(BITS) == pytest.approx(-expected.mean(), rel=1e-4)
    assert density.num_parameters == 5


def test_the_number_of_components_is_chosen_on_validation_examples():
    pairs = np.repeat(np.eye(2, dtype=np.float32), 3, axis=1)
    bits = pairs[np.random.default_rng(1).integers(0, 2, 200)]
    density = densities.mixture_of_bits(np.random.default_rng(0), bits, bits, (1, 2), 20)
    assert density.chosen.startswith("2 components")
    assert density.nats(bits) == pytest.approx(np.log(2.0), abs=0.05)
    assert density.alarm == ""
    np.testing.assert_allclose(
        np.sort(density.templates, axis=0)[[0, -1]], [[0] * 6, [1] * 6], atol=0.01
    )


def test_kernels_of_repeated_examples_hardly_flip_bits():
    few, many = (
        densities.kernels_of_bits(BITS, rows, (0.01, 0.2, 0.45)) for rows in (BITS, 1 - BITS)
    )
    assert "probability 0.01" in few.chosen
    assert "probability 0.01" not in many.chosen
    samples = few.draw(np.random.default_rng(0), 50)
    assert samples.shape == (50, 5)
    assert set(np.unique(samples)) == {0.0, 1.0}


def test_a_gaussian_of_codes_has_their_moments():
    density = densities.gaussian_of_codes(CODES)
    covariance = np.cov(CODES, rowvar=False, bias=True) + 1e-4 * np.eye(2)
    expected = multivariate_normal(CODES.mean(0), covariance).logpdf(CODES)
    np.testing.assert_allclose(density.log_density(CODES), expected, rtol=1e-4)
    samples = density.draw(np.random.default_rng(0), 4_000)
    np.testing.assert_allclose(np.cov(samples, rowvar=False), covariance, rtol=0.1, atol=0.2)


def test_a_mixture_recovers_the_nats_of_two_clusters():
    density = densities.mixture_of_gaussians(jax.random.key(0), CODES, CODES, (2,))
    truth = np.logaddexp(
        *(multivariate_normal(center).logpdf(CODES) for center in CENTERS)
    ) - np.log(2.0)
    assert density.nats(CODES) == pytest.approx(-truth.mean(), abs=0.03)
    assert density.nats(CODES) < densities.gaussian_of_codes(CODES).nats(CODES) - 0.3
    assert density.num_parameters == 11


def test_kernels_of_codes_are_those_of_scikit_learn():
    neighbors = pytest.importorskip("sklearn.neighbors")
    train, validation = CODES[:300], CODES[300:]
    density = densities.kernels_of_codes(train, validation, (0.01, 0.5, 5.0))
    assert density.chosen == "300 examples, bandwidth 0.5"
    expected = neighbors.KernelDensity(bandwidth=0.5).fit(train).score_samples(validation)
    np.testing.assert_allclose(density.log_density(validation), expected, rtol=1e-4)
    assert density.draw(np.random.default_rng(0), 7).shape == (7, 2)
