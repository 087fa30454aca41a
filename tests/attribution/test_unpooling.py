import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.attribution.unpooling import pool_with_switches, unpool
from lecture_models.nn.pooling import max_pool

MAPS = jax.random.normal(jax.random.key(0), (2, 7, 9, 3))


@pytest.mark.slow
def test_switches_by_hand():
    maps = jnp.array([[0.0, 3.0, 1.0, 1.0], [2.0, 1.0, 0.0, 5.0]]).reshape(1, 2, 4, 1)
    pooled, switches = pool_with_switches(maps, 2, 2)
    np.testing.assert_array_equal(pooled.ravel(), [3.0, 5.0])
    np.testing.assert_array_equal(switches.ravel(), [1, 7])
    restored = unpool(pooled, switches, 2, 4)
    np.testing.assert_array_equal(restored[0, ..., 0], [[0, 3, 0, 0], [0, 0, 0, 5]])


@pytest.mark.slow
def test_unpooling_restores_the_maxima_at_their_exact_places():
    maps = jnp.exp(MAPS)  # Positive, so that zero is nowhere a maximum.
    pooled, switches = pool_with_switches(maps, 2, 2)
    restored = unpool(pooled, switches, 7, 9)
    there = np.asarray(restored != 0.0)
    assert there.sum() == pooled.size
    np.testing.assert_array_equal(np.asarray(restored)[there], np.asarray(maps)[there])
    np.testing.assert_array_equal(pool_with_switches(restored, 2, 2)[0], pooled)


@pytest.mark.parametrize(("window", "stride"), [(2, 2), (3, 2), (2, 1)])
def test_the_gradient_of_the_zoos_pooling_is_unpooling(window, stride):
    @jax.jit
    def ways_back(maps):
        pooled, backward = jax.vjp(lambda maps: max_pool(maps, window, stride), maps)
        ours, switches = pool_with_switches(maps, window, stride)
        signal = jnp.sin(jnp.arange(pooled.size)).reshape(pooled.shape)
        return pooled, ours, backward(signal)[0], unpool(signal, switches, 7, 9)

    pooled, ours, gradient, restored = ways_back(MAPS)
    np.testing.assert_array_equal(ours, pooled)
    np.testing.assert_allclose(restored, gradient, atol=1e-6)


def test_equal_maxima_share_the_gradient_and_the_first_has_the_switch():
    maps = jnp.ones((1, 1, 2, 1)).repeat(2, axis=1)
    _, backward = jax.vjp(lambda maps: max_pool(maps, 2, 2), maps)
    (shared,) = jax.jit(backward)(jnp.ones((1, 1, 1, 1)))
    np.testing.assert_array_equal(shared.ravel(), [0.25] * 4)
    pooled, switches = pool_with_switches(maps, 2, 2)
    np.testing.assert_array_equal(unpool(pooled, switches, 2, 2).ravel(), [1, 0, 0, 0])


def test_a_window_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="window 8 at stride 2 on maps of 7x9"):
        pool_with_switches(MAPS, 8, 2)
