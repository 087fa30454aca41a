import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.losses.vae import importance_weighted_elbo


def test_equal_weights_give_their_logarithm():
    found = importance_weighted_elbo(jnp.full((7, 2), -90.0))
    np.testing.assert_allclose(found, [-90.0, -90.0], rtol=1e-6)


def test_one_sample_is_its_own_bound():
    weights = jnp.array([[-88.0, -91.0]])
    np.testing.assert_allclose(importance_weighted_elbo(weights), weights[0])


def test_weights_far_apart_neither_overflow_nor_vanish():
    found = importance_weighted_elbo(jnp.array([[-1000.0], [-80.0]]))
    assert float(found[0]) == pytest.approx(-80.0 - np.log(2.0), rel=1e-6)


def test_the_bound_rises_with_the_number_of_samples_in_expectation():
    # Log-normal weights of mean 1: every bound is below log 1 = 0 and nears it.
    draws = jax.random.normal(jax.random.key(0), (50, 20_000)) - 0.5
    bounds = [float(importance_weighted_elbo(draws[:k]).mean()) for k in (1, 5, 50)]
    assert bounds[0] < bounds[1] < bounds[2] < 0.0
    assert bounds[0] == pytest.approx(-0.5, abs=0.02)
