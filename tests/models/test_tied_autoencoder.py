import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.models.tied_autoencoder import TiedAutoencoder

NET = TiedAutoencoder(hidden=5, image_shape=(4, 3, 2))


@pytest.fixture
def params():
    return NET.init(jax.random.key(0), jnp.zeros((1, 4, 3, 2)))["params"]


@pytest.fixture
def images():
    return jax.random.uniform(jax.random.key(1), (7, 4, 3, 2), minval=-1.0)


@pytest.mark.slow
def test_one_matrix_serves_both_ways(params, images):
    params = params | {"hidden_bias": jnp.arange(5.0), "visible_bias": jnp.arange(24.0)}
    x = (images.reshape(7, 24) + 1.0) / 2.0
    hidden = jax.nn.sigmoid(x @ params["kernel"] + jnp.arange(5.0)[None])
    logits = hidden @ params["kernel"].T + jnp.arange(24.0)[None]
    found = NET.apply({"params": params}, images)
    np.testing.assert_allclose(found, logits.reshape(7, 4, 3, 2), rtol=1e-5)
    encoded = NET.apply({"params": params}, images, method="encode")
    np.testing.assert_allclose(encoded, hidden, rtol=1e-5)


def test_parameters_are_one_matrix_and_two_biases(params):
    sizes = {name: each.size for name, each in params.items()}
    assert sizes == {"kernel": 24 * 5, "hidden_bias": 5, "visible_bias": 24}


def test_weights_start_within_glorots_range(params):
    half_width = np.sqrt(6.0 / (24 + 5))
    assert 0.9 * half_width < float(jnp.abs(params["kernel"]).max()) <= half_width


def test_a_black_image_without_biases_gives_half_of_every_weight(params):
    logits = NET.apply({"params": params}, -jnp.ones((1, 4, 3, 2)))
    np.testing.assert_allclose(logits.ravel(), 0.5 * params["kernel"].sum(axis=1), rtol=1e-5)
