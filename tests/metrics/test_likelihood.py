import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.metrics.likelihood import IMAGES_PER_CALL, importance_weighted_elbos

IMAGES = np.zeros((50, 2, 2, 1), np.float32)


def linear_gaussian_weights(images, key):
    """Draws weights of mean exp(-3): log w ~ N(-3 - s^2/2, s^2)."""
    return -3.0 - 0.5 + jax.random.normal(key, (100, len(images)))


def test_the_estimate_is_the_log_of_the_mean_weight():
    found = importance_weighted_elbos(
        linear_gaussian_weights, IMAGES, jax.random.key(0), 5_000, (5_000,)
    )
    assert found[5_000].shape == (50,)
    np.testing.assert_allclose(found[5_000], -3.0, atol=0.1)


def test_the_elbos_rise_with_k_and_stay_below_the_likelihood():
    found = importance_weighted_elbos(
        linear_gaussian_weights, IMAGES, jax.random.key(0), 1_000, (1, 5, 50, 1_000)
    )
    means = [found[k].mean() for k in (1, 5, 50, 1_000)]
    assert means == sorted(means)
    assert means[0] == pytest.approx(-3.5, abs=0.02)
    assert means[-1] < -2.99


def test_memory_is_bounded_by_the_size_of_a_call():
    seen = []

    def counted(images, key):
        seen.append(len(images))
        return jnp.zeros((100, len(images)))

    importance_weighted_elbos(counted, IMAGES, jax.random.key(0), 250, (1, 250))
    assert seen == [IMAGES_PER_CALL] * 6 + [10] * 3


def test_every_call_has_a_key_of_its_own():
    keys = []

    def remembered(images, key):
        keys.append(tuple(jax.random.key_data(jax.random.clone(key)).tolist()))
        return jnp.zeros((100, len(images)))

    importance_weighted_elbos(remembered, IMAGES, jax.random.key(0), 300, (1,))
    assert len(set(keys)) == len(keys) == 9


@pytest.mark.parametrize("size", [0, 101])
def test_an_elbo_of_more_samples_than_there_are_is_refused(size):
    with pytest.raises(ValueError, match="with 100 samples they must be from 1 to 100"):
        importance_weighted_elbos(linear_gaussian_weights, IMAGES, jax.random.key(0), 100, (size,))
