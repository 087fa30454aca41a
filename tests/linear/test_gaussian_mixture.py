import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from sklearn import mixture as sk_mixture

from lecture_models.linear import gaussian_mixture as mixtures

TRUE = mixtures.GaussianMixture(
    jnp.array([0.5, 0.3, 0.2]),
    jnp.array([[0.0, 0.0], [4.0, 1.0], [-3.0, 4.0]]),
    jnp.array([[[1.0, 0.6], [0.6, 1.0]], [[0.5, 0.0], [0.0, 2.0]], [[1.0, -0.7], [-0.7, 1.0]]]),
)
ROWS = np.asarray(mixtures.draw_from_mixture(jax.random.key(0), TRUE, 1_500))


def density(rows):
    return sum(
        float(weight)
        * stats.multivariate_normal(np.asarray(mean), np.asarray(covariance)).pdf(rows)
        for weight, mean, covariance in zip(*TRUE, strict=True)
    )


def test_log_likelihoods_are_those_of_scipy():
    np.testing.assert_allclose(
        mixtures.mixture_log_likelihoods(TRUE, ROWS), np.log(density(ROWS)), atol=1e-4
    )


def test_the_density_adds_up_to_one():
    places = np.linspace(-12.0, 12.0, 241, dtype=np.float32)
    grid = np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)
    total = float(jnp.exp(mixtures.mixture_log_likelihoods(TRUE, grid)).sum()) * 0.1**2
    assert total == pytest.approx(1.0, abs=1e-3)


def test_responsibilities_are_posterior_probabilities():
    found, mean = mixtures.expectation(TRUE, ROWS)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)
    first = 0.5 * stats.multivariate_normal([0.0, 0.0], TRUE.covariances[0]).pdf(ROWS)
    np.testing.assert_allclose(found[:, 0], first / density(ROWS), atol=1e-4)
    assert float(mean) == pytest.approx(np.log(density(ROWS)).mean(), abs=1e-4)


def test_em_ends_where_scikit_learn_ends():
    start = TRUE._replace(means=TRUE.means + 0.5)
    ours = mixtures.expectation_maximization(ROWS, start, 1e-6, 1e-6, 500)
    theirs = sk_mixture.GaussianMixture(
        3,
        tol=1e-6,
        max_iter=500,
        weights_init=np.array([0.5, 0.3, 0.2]),
        means_init=np.asarray(start.means),
        precisions_init=np.linalg.inv(np.asarray(start.covariances, np.float64)),
    ).fit(ROWS)
    assert ours.converged
    assert ours.log_likelihoods[-1] == pytest.approx(theirs.score(ROWS), abs=1e-4)
    np.testing.assert_allclose(ours.mixture.means, theirs.means_, atol=0.02)
    np.testing.assert_allclose(ours.mixture.covariances, theirs.covariances_, atol=0.03)
    np.testing.assert_allclose(ours.mixture.weights, theirs.weights_, atol=0.005)


def test_no_iteration_lowers_the_likelihood_without_a_ridge():
    start = TRUE._replace(means=TRUE.means[::-1] + 1.0)
    history = mixtures.expectation_maximization(ROWS, start, 0.0, 0.0, 30).log_likelihoods
    assert len(history) > 10
    assert all(second >= first - 1e-5 for first, second in itertools.pairwise(history))
    assert history[-1] > history[0] + 1.0


def test_the_mixture_that_drew_the_examples_is_found_again():
    fit = mixtures.fit_gaussian_mixture(jax.random.key(1), ROWS, 3)
    order = np.argsort(-np.asarray(fit.mixture.weights))
    np.testing.assert_allclose(fit.mixture.means[order], TRUE.means, atol=0.2)
    np.testing.assert_allclose(fit.mixture.weights[order], TRUE.weights, atol=0.03)
    assert fit.log_likelihoods[-1] >= np.log(density(ROWS)).mean() - 1e-3


def test_equal_weights_give_the_mean_and_the_covariance_with_the_ridge():
    found = mixtures.maximization(ROWS, jnp.full((len(ROWS), 3), 1.0 / 3.0), 0.25)
    np.testing.assert_allclose(found.means[1], ROWS.mean(axis=0), atol=1e-4)
    expected = np.cov(ROWS.T, bias=True) + 0.25 * np.eye(2)
    np.testing.assert_allclose(found.covariances[1], expected, atol=1e-3)
    np.testing.assert_allclose(found.weights, 1.0 / 3.0, rtol=1e-5)


def test_samples_have_the_moments_of_the_mixture():
    samples = np.asarray(mixtures.draw_from_mixture(jax.random.key(5), TRUE, 1_500))
    np.testing.assert_allclose(samples.mean(axis=0), [0.6, 1.1], atol=0.2)
    means = np.asarray(TRUE.means) - [[0.6, 1.1]]
    between = np.einsum("k,ki,kj->ij", TRUE.weights, means, means)
    expected = between + np.einsum("k,kij->ij", TRUE.weights, TRUE.covariances)
    np.testing.assert_allclose(np.cov(samples.T), expected, atol=0.5)


def test_a_component_that_nobody_belongs_to_stays_finite():
    members = jnp.zeros((len(ROWS), 3)).at[:, :2].set(0.5)
    found = mixtures.maximization(ROWS, members, 1e-3)
    assert all(bool(jnp.isfinite(part).all()) for part in found)
    assert float(found.weights[2]) < 1e-6
    assert bool(jnp.isfinite(mixtures.mixture_log_likelihoods(found, ROWS)).all())


def test_the_number_of_parameters_counts_symmetric_covariances_once():
    assert TRUE.num_parameters == 2 + 6 + 9


def test_a_constant_column_is_refused_without_a_ridge():
    flat = ROWS * np.array([[1.0, 0.0]], np.float32)
    with pytest.raises(ValueError, match="singular after 0 iterations with a ridge of 0; a larger"):
        mixtures.fit_gaussian_mixture(jax.random.key(0), flat, 3, ridge=0.0)
    fit = mixtures.fit_gaussian_mixture(jax.random.key(0), flat, 3, ridge=1e-3)
    assert np.isfinite(fit.log_likelihoods[-1])


def test_more_components_than_distinct_examples_are_refused():
    with pytest.raises(ValueError, match="3 clusters and 2 distinct vectors"):
        mixtures.fit_gaussian_mixture(jax.random.key(0), np.eye(2, dtype=np.float32), 3)
