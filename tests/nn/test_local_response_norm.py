import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.nn.local_response_norm import (
    caffe_local_response_norm,
    krizhevsky_norm,
    local_response_norm,
)

MAPS = 3.0 * jax.random.normal(jax.random.key(0), (2, 3, 4, 9))


def by_hand(x, size, alpha, beta, k):
    x = np.asarray(x, np.float64)
    result = np.empty_like(x)
    for channel in range(x.shape[-1]):
        around = x[..., max(0, channel - size // 2) : channel + size // 2 + 1]
        result[..., channel] = x[..., channel] / (k + alpha * (around**2).sum(-1)) ** beta
    return result


@pytest.mark.parametrize(
    ("size", "alpha", "beta", "k"),
    [(5, 0.1, 0.75, 2.0), (3, 0.5, 0.6, 1.0), (1, 0.3, 0.75, 1.0), (19, 0.2, 1.0, 0.5)],
)
def test_it_is_the_papers_sum_channel_by_channel(size, alpha, beta, k):
    ours = local_response_norm(MAPS, size, alpha, beta, k)
    np.testing.assert_allclose(ours, by_hand(MAPS, size, alpha, beta, k), rtol=2e-5)


def test_krizhevskys_alpha_is_not_divided_by_the_size():
    np.testing.assert_allclose(krizhevsky_norm(MAPS), by_hand(MAPS, 5, 1e-4, 0.75, 2.0), rtol=1e-5)


def test_caffes_alpha_is_divided_by_the_size():
    ours = caffe_local_response_norm(MAPS, alpha=0.5)
    np.testing.assert_allclose(ours, by_hand(MAPS, 5, 0.1, 0.75, 1.0), rtol=1e-5)


def test_one_large_value_by_hand():
    # 10 (2 + 1e-4 100)^-0.75, and its neighbors within 2 channels are 0.
    x = jnp.zeros((1, 1, 1, 7)).at[0, 0, 0, 3].set(10.0)
    expected = np.zeros(7)
    expected[3] = 10.0 / 2.01**0.75
    np.testing.assert_allclose(krizhevsky_norm(x).ravel(), expected, rtol=1e-6)


def test_a_strong_channel_inhibits_its_neighbors_within_reach_only():
    quiet = jnp.ones((1, 1, 1, 9))
    loud = quiet.at[..., 4].set(10.0)
    difference = local_response_norm(loud, 5, 1.0, 0.75, 1.0) - local_response_norm(
        quiet, 5, 1.0, 0.75, 1.0
    )
    signs = np.sign(np.asarray(difference).ravel())
    assert signs.tolist() == [0, 0, -1, -1, 1, -1, -1, 0, 0]


@pytest.mark.slow
@pytest.mark.parametrize("beta", [0.75, 0.5])
def test_the_gradient_is_that_of_the_explicit_sum(beta):
    def plain(x):
        band = jnp.abs(jnp.arange(9)[:, None] - jnp.arange(9)[None]) <= 2
        return x * (1.0 + 0.2 * jnp.square(x) @ band.astype(jnp.float32)) ** -beta

    weights = jax.random.normal(jax.random.key(1), MAPS.shape)
    expected = jax.grad(lambda x: (weights * plain(x)).sum())(MAPS)
    ours = jax.grad(lambda x: (weights * local_response_norm(x, 5, 0.2, beta, 1.0)).sum())(MAPS)
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_gradient_at_zero_is_finite():
    gradient = jax.grad(lambda x: krizhevsky_norm(x).sum())(jnp.zeros((1, 2, 2, 8)))
    np.testing.assert_allclose(gradient, 2.0**-0.75, rtol=1e-6)


@pytest.mark.parametrize("size", [0, 4, -1])
def test_a_window_without_a_middle_is_refused(size):
    with pytest.raises(ValueError, match=f"size {size}; it must be odd and positive"):
        local_response_norm(MAPS, size, 1e-4, 0.75, 1.0)
    with pytest.raises(ValueError, match="odd and positive"):
        caffe_local_response_norm(MAPS, size)
