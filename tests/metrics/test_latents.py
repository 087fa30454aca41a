import math

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from lecture_models.metrics.latents import (
    active_units,
    gaussian_kl_divergence,
    neighbor_kl_divergence,
)

DIVERGENCES = (gaussian_kl_divergence, neighbor_kl_divergence)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def _closed_form(mean, covariance):
    """Returns KL(N(mean, covariance) || N(0, I))."""
    _, log_determinant = np.linalg.slogdet(covariance)
    return 0.5 * (np.trace(covariance) + mean @ mean - len(mean) - log_determinant)


def test_units_whose_mean_the_data_move_by_more_than_a_tenth_are_active():
    signs = np.tile([1.0, -1.0], 50)[:, None]
    means = 3.0 + signs * np.array([[0.0, 0.09, 0.11, 2.0]])
    assert active_units(means).tolist() == [False, False, True, True]
    assert active_units(means, threshold=1.0).tolist() == [False, False, False, True]


@pytest.mark.parametrize("divergence", DIVERGENCES)
@pytest.mark.parametrize("dimensions", [1, 2, 5, 10])
def test_the_prior_itself_has_no_divergence(divergence, dimensions, rng):
    codes = rng.normal(size=(4_000, dimensions))
    assert divergence(codes) == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("divergence", DIVERGENCES)
@pytest.mark.parametrize("dimensions", [1, 2, 4])
def test_a_gaussian_has_the_divergence_of_the_closed_form(divergence, dimensions, rng):
    factor, mean = rng.normal(size=(dimensions, dimensions)), rng.normal(size=dimensions)
    covariance = factor @ factor.T + 0.1 * np.eye(dimensions)
    codes = rng.multivariate_normal(mean, covariance, size=6_000)
    assert divergence(codes) == pytest.approx(_closed_form(mean, covariance), abs=0.1)


def test_the_gaussian_of_codes_with_known_moments_is_exact():
    """Uses mean (1, 0), variances 4/3 (two of four points at +-1, over n - 1), no covariance."""
    codes = np.array([[2.0, 1.0], [2.0, -1.0], [0.0, 1.0], [0.0, -1.0]])
    expected = 0.5 * (8 / 3 + 1.0 - 2.0 - 2.0 * math.log(4 / 3))
    assert gaussian_kl_divergence(codes) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_a_rotation_changes_nothing(divergence, rng):
    codes = rng.gamma(2.0, size=(500, 4))
    rotation, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    assert divergence(codes @ rotation) == pytest.approx(divergence(codes), rel=1e-9)


def test_a_mixture_diverges_by_what_monte_carlo_says_and_its_gaussian_by_less(rng):
    """Uses eight tight clusters on a circle: nearly the moments of N(0, I), but another form."""
    angles = np.arange(8) * math.pi / 4
    centers = math.sqrt(2.0) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    codes = centers[rng.integers(8, size=10_000)] + 0.1 * rng.normal(size=(10_000, 2))
    log_mixture = logsumexp(
        [multivariate_normal(center, 0.01 * np.eye(2)).logpdf(codes) for center in centers], axis=0
    ) - math.log(8)
    expected = (log_mixture - multivariate_normal(np.zeros(2)).logpdf(codes)).mean()
    assert neighbor_kl_divergence(codes) == pytest.approx(expected, abs=0.05)
    assert gaussian_kl_divergence(codes) < 0.05 < expected


@pytest.mark.parametrize("k", [1, 3, 20])
def test_every_number_of_neighbors_estimates_the_same(k, rng):
    codes = 3.0 * rng.normal(size=(5_000, 2))
    expected = _closed_form(np.zeros(2), 9.0 * np.eye(2))
    assert neighbor_kl_divergence(codes, k) == pytest.approx(expected, abs=0.1)


def test_a_singular_gaussian_is_infinitely_far(rng):
    plane = rng.normal(size=(200, 2)).astype(np.float32)
    constant = np.concatenate([plane, np.full((200, 1), 7.0, np.float32)], axis=1)
    dependent = plane @ rng.normal(size=(2, 5)).astype(np.float32)
    for codes in (constant, dependent, rng.normal(size=(4, 5)), np.zeros((10, 2))):
        assert gaussian_kl_divergence(codes) == math.inf


def test_a_narrow_unit_is_far_but_not_infinitely(rng):
    codes = np.stack([rng.normal(size=5_000), 1e-4 * rng.normal(size=5_000)], axis=1)
    assert gaussian_kl_divergence(codes) == pytest.approx(-math.log(1e-4) - 0.5, abs=0.05)


def test_a_few_copies_are_borne_and_an_atom_is_infinitely_far(rng):
    codes = rng.normal(size=(3_000, 2))
    codes[:5] = codes[0]
    assert neighbor_kl_divergence(codes, k=5) == pytest.approx(0.0, abs=0.1)
    codes[:6] = codes[0]
    assert neighbor_kl_divergence(codes, k=5) == math.inf


@pytest.mark.parametrize("metric", [active_units, *DIVERGENCES])
def test_broken_codes_and_too_few_are_refused(metric):
    codes = np.ones((30, 2))
    codes[3, 1] = np.nan
    with pytest.raises(ValueError, match="must be finite; 1 of 30 are not"):
        metric(codes)
    with pytest.raises(ValueError, match="at least 2 .*; there are 1"):
        metric(codes[:1])


def test_neighbors_that_are_not_there_are_refused(rng):
    with pytest.raises(ValueError, match="k is 10; with 10 codes it must be from 1 to 9"):
        neighbor_kl_divergence(rng.normal(size=(10, 2)), k=10)
    with pytest.raises(ValueError, match="k is 0"):
        neighbor_kl_divergence(rng.normal(size=(10, 2)), k=0)
