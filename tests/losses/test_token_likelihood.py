import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lecture_models.losses.token_likelihood import smoothed_nats

LOGITS = jax.random.normal(jax.random.key(0), (2, 3, 5))
TARGETS = jnp.array([[0, 4, 2], [1, 1, 3]])


def test_equal_logits_cost_the_logarithm_of_the_vocabulary():
    nats, smoothed = smoothed_nats(jnp.zeros((1, 2, 7)), jnp.array([[0, 6]]), 0.3)
    np.testing.assert_allclose(nats, np.log(7.0), rtol=1e-6)
    np.testing.assert_allclose(smoothed, np.log(7.0), rtol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_smoothing_is_the_cross_entropy_with_a_smoothed_target(smoothing):
    nats, smoothed = smoothed_nats(LOGITS, TARGETS, smoothing)
    expected = optax.softmax_cross_entropy(
        LOGITS, optax.smooth_labels(jax.nn.one_hot(TARGETS, 5), smoothing)
    )
    np.testing.assert_allclose(smoothed, expected, rtol=1e-5)
    np.testing.assert_allclose(
        nats, optax.softmax_cross_entropy_with_integer_labels(LOGITS, TARGETS), rtol=1e-5
    )
