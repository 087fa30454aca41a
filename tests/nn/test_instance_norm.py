import jax
import jax.numpy as jnp
import numpy as np

from lecture_models.nn.instance_norm import instance_norm


def test_each_channel_of_each_image_has_mean_0_and_variance_1():
    x = 3.0 + 2.0 * jax.random.normal(jax.random.key(0), (2, 5, 7, 3))
    y = np.asarray(instance_norm(x))
    np.testing.assert_allclose(y.mean((1, 2)), 0.0, atol=1e-5)
    np.testing.assert_allclose(y.var((1, 2)), 1.0, atol=1e-4)
    by_hand = (x[1, ..., 2] - x[1, ..., 2].mean()) / np.sqrt(x[1, ..., 2].var() + 1e-5)
    np.testing.assert_allclose(y[1, ..., 2], by_hand, atol=1e-5)


def test_an_image_does_not_depend_on_its_batch_and_a_constant_becomes_zero():
    x = jax.random.normal(jax.random.key(1), (3, 4, 4, 2))
    np.testing.assert_array_equal(instance_norm(x)[1], instance_norm(x[1:2])[0])
    assert not np.asarray(instance_norm(jnp.full((1, 4, 4, 2), 7.0))).any()
