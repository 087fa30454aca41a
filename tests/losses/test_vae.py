import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.losses.vae import importance_weighted_elbo


def test_equal_weights_give_their_logarithm():
    found = importance_weighted_elbo(jnp.full((7, 2), -90.0))
    np.testing.assert_allclose(found, [-90.0, -90.0], rtol=1e-6)


def test_the_elbo_of_one_sample_is_its_log_weight():
    weights = jnp.array([[-88.0, -91.0]])
    np.testing.assert_allclose(importance_weighted_elbo(weights), weights[0])


def test_weights_far_apart_neither_overflow_nor_vanish():
    found = importance_weighted_elbo(jnp.array([[-1000.0], [-80.0]]))
    assert float(found[0]) == pytest.approx(-80.0 - np.log(2.0), rel=1e-6)


def test_the_elbo_rises_with_the_number_of_samples_in_expectation():
    # Log-normal weights of mean 1: every expected ELBO is below log 1 = 0 and approaches it.
    draws = jax.random.normal(jax.random.key(0), (50, 20_000)) - 0.5
    elbos = [float(importance_weighted_elbo(draws[:k]).mean()) for k in (1, 5, 50)]
    assert elbos[0] < elbos[1] < elbos[2] < 0.0
    assert elbos[0] == pytest.approx(-0.5, abs=0.02)
