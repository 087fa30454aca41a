import math

import jax
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.neighbors import KernelDensity

from lecture_models.metrics.parzen import BANDWIDTHS, evaluate_sampler, parzen_log_likelihood


def uniform(seed, *shape):
    return np.asarray(jax.random.uniform(jax.random.key(seed), shape))


def test_one_sample_is_one_gaussian():
    points, sample = uniform(0, 7, 3), uniform(1, 1, 3)
    expected = multivariate_normal(sample[0], 0.2**2 * np.eye(3)).logpdf(points)
    np.testing.assert_allclose(parzen_log_likelihood(points, sample, 0.2), expected, rtol=1e-4)


def test_the_window_agrees_with_scikit_learn():
    points, samples = uniform(0, 50, 20), uniform(1, 80, 20)
    expected = KernelDensity(bandwidth=0.3).fit(samples).score_samples(points)
    np.testing.assert_allclose(parzen_log_likelihood(points, samples, 0.3), expected, rtol=1e-4)


def test_the_window_agrees_with_the_formula_in_784_dimensions():
    points, samples = uniform(0, 10, 784), uniform(1, 30, 784)
    squared = ((points[:, None] - samples[None]) ** 2).sum(-1).astype(np.float64)
    normalizer = 784 * math.log(0.2 * math.sqrt(2 * math.pi))
    expected = logsumexp(-squared / (2 * 0.2**2), axis=1) - math.log(30) - normalizer
    np.testing.assert_allclose(parzen_log_likelihood(points, samples, 0.2), expected, rtol=1e-5)


def test_the_density_integrates_to_one():
    samples = uniform(0, 5, 1)
    grid = np.linspace(-2, 3, 2001, dtype=np.float32)[:, None]
    density = np.exp(parzen_log_likelihood(grid, samples, 0.2))
    assert np.trapezoid(density, grid[:, 0]) == pytest.approx(1.0, abs=1e-3)


def test_chunks_change_nothing():
    points, samples = uniform(0, 25, 4), uniform(1, 9, 4)
    whole = parzen_log_likelihood(points, samples, 0.2)
    np.testing.assert_allclose(parzen_log_likelihood(points, samples, 0.2, 7), whole, rtol=1e-6)


def test_the_bandwidth_is_the_best_on_validation_not_on_test():
    samples, validation, test = uniform(0, 200, 2), uniform(1, 100, 2), uniform(2, 100, 2)
    estimate = evaluate_sampler(samples, validation, test, bandwidths=(0.01, 0.1, 2.0))
    by_validation = {
        bandwidth: parzen_log_likelihood(validation, samples, bandwidth).mean()
        for bandwidth in (0.01, 0.1, 2.0)
    }
    assert estimate.bandwidth == max(by_validation, key=by_validation.get) == 0.1
    assert estimate.validation_log_likelihood == pytest.approx(by_validation[0.1], rel=1e-6)
    likelihoods = parzen_log_likelihood(test, samples, 0.1)
    assert estimate.log_likelihood == pytest.approx(likelihoods.mean(), rel=1e-5)
    assert estimate.standard_error == pytest.approx(likelihoods.std() / 10, rel=1e-5)


def test_the_grid_is_that_of_the_authors_code():
    np.testing.assert_allclose(BANDWIDTHS, np.logspace(-1, 0, 10))


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, math.nan])
def test_a_bandwidth_that_is_not_positive_is_refused(bandwidth):
    with pytest.raises(ValueError, match=f"bandwidth is {bandwidth}; it must be positive"):
        parzen_log_likelihood(uniform(0, 2, 2), uniform(1, 2, 2), bandwidth)
