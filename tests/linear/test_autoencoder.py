import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.linear import autoencoder, pca

ROWS = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
ROWS = ROWS * np.array([3.0, 2.5, 2.0, 1.0, 0.5, 0.2], np.float32)[None, :] + 1.0
MOMENTS = pca.moments(ROWS)
COVARIANCE = jnp.asarray(MOMENTS.covariance, jnp.float32)


@pytest.fixture
def network():
    return autoencoder.init_linear_autoencoder(jax.random.key(0), 6, 2)


@pytest.fixture
def optimum():
    """Returns weights that span the principal subspace in a basis that is not orthonormal."""
    components = pca.fit_pca(ROWS, 2).components
    mixing = np.array([[2.0, 0.3], [-1.0, 0.7]], np.float32)
    return autoencoder.LinearAutoencoder(
        jnp.asarray(components @ np.linalg.inv(mixing).T), jnp.asarray(components @ mixing)
    )


def test_the_expected_error_is_the_mean_over_the_data(network):
    errors = ROWS - autoencoder.reconstruct(network, MOMENTS.mean.astype(np.float32), ROWS)
    found = autoencoder.expected_squared_error(network, COVARIANCE)
    assert float(found) == pytest.approx(float((errors**2).sum(axis=1).mean()), rel=1e-4)


def test_weights_of_zero_leave_the_whole_variance(network):
    nothing = jax.tree.map(jnp.zeros_like, network)
    found = autoencoder.expected_squared_error(nothing, COVARIANCE)
    assert float(found) == pytest.approx(MOMENTS.covariance.trace(), rel=1e-5)


def test_the_least_error_is_the_omitted_variance_and_has_no_gradient(optimum):
    error, gradient = jax.value_and_grad(autoencoder.expected_squared_error)(optimum, COVARIANCE)
    left_out = np.linalg.eigvalsh(MOMENTS.covariance)[:4].sum()
    assert float(error) == pytest.approx(left_out, rel=1e-4)
    for each in gradient:
        np.testing.assert_allclose(each, 0.0, atol=1e-4)


def test_other_eigenvectors_are_critical_points_and_worse(optimum):
    vectors = np.linalg.eigh(MOMENTS.covariance)[1][:, [5, 2]].astype(np.float32)
    saddle = autoencoder.LinearAutoencoder(jnp.asarray(vectors), jnp.asarray(vectors))
    error, gradient = jax.value_and_grad(autoencoder.expected_squared_error)(saddle, COVARIANCE)
    np.testing.assert_allclose(gradient.decoder, 0.0, atol=1e-4)
    assert float(error) > float(autoencoder.expected_squared_error(optimum, COVARIANCE)) + 1.0


def test_the_axes_at_the_optimum_are_the_components_in_any_basis(optimum):
    axes = autoencoder.principal_axes(optimum, MOMENTS.covariance)
    components = pca.fit_pca(ROWS, 2).components
    np.testing.assert_allclose(np.abs(axes.T @ components), np.eye(2), atol=1e-4)


def test_the_axes_are_the_components_of_the_reconstructions(network):
    mean = MOMENTS.mean.astype(np.float32)
    reconstructions = np.asarray(autoencoder.reconstruct(network, mean, ROWS))
    expected = pca.fit_pca(reconstructions, 2).components
    axes = autoencoder.principal_axes(network, MOMENTS.covariance)
    np.testing.assert_allclose(np.abs(axes.T @ expected), np.eye(2), atol=1e-3)


def test_codes_are_of_the_centered_vectors(network):
    mean = MOMENTS.mean.astype(np.float32)
    np.testing.assert_array_equal(autoencoder.encode(network, mean, mean[None]), np.zeros((1, 2)))
    np.testing.assert_array_equal(autoencoder.reconstruct(network, mean, mean[None]), mean[None])


def test_weights_start_at_the_scale_of_a_unit_vector():
    network = autoencoder.init_linear_autoencoder(jax.random.key(0), 400, 30)
    lengths = jnp.linalg.norm(network.encoder, axis=0)
    np.testing.assert_allclose(lengths, 1.0, atol=0.2)
    assert float(jnp.abs(network.encoder - network.decoder).max()) > 0.1  # Untied.
