import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from lecture_models.nn.pooling import max_pool, mean_pool

LECTURE = jnp.array([[1.0, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]]).reshape(1, 4, 4, 1)


def maps(height, width, seed=0):
    return jax.random.normal(jax.random.key(seed), (2, height, width, 3))


def test_the_lectures_four_by_four_map_becomes_6_8_3_4():
    assert max_pool(LECTURE, 2, 2).reshape(2, 2).tolist() == [[6.0, 8.0], [3.0, 4.0]]


def test_means_of_the_same_squares_are_those_by_hand():
    assert mean_pool(LECTURE, 2, 2).reshape(2, 2).tolist() == [[3.25, 5.25], [2.0, 2.0]]


@pytest.mark.parametrize(("window", "stride"), [(2, 2), (3, 2), (3, 1), (2, 3), (3, 3), (1, 2)])
def test_without_padding_results_are_those_of_flax_on_any_size(window, stride):
    x = maps(9, 14)
    for ours, flaxs in ((max_pool, nn.max_pool), (mean_pool, nn.avg_pool)):
        expected = flaxs(x, (window, window), (stride, stride))
        np.testing.assert_allclose(ours(x, window, stride), expected, atol=1e-6)


def test_padding_keeps_the_size_and_never_wins_a_maximum():
    x = maps(6, 7) - 100.0
    pooled = max_pool(x, 3, 1, padding=1)
    assert pooled.shape == x.shape
    np.testing.assert_array_equal(pooled, nn.max_pool(x, (3, 3), (1, 1), "SAME"))


def test_zeros_of_the_padding_count_in_a_mean():
    pooled = mean_pool(jnp.ones((1, 3, 3, 1)), 3, 1, padding=1).reshape(3, 3)
    np.testing.assert_allclose(pooled * 9.0, [[4, 6, 4], [6, 9, 6], [4, 6, 4]], rtol=1e-6)


@pytest.mark.parametrize("side", [112, 56, 28, 14])
def test_rounding_up_halves_the_maps_of_googlenet_where_rounding_down_loses_one(side):
    shape = jax.ShapeDtypeStruct((1, side, side, 1), jnp.float32)
    up = jax.eval_shape(lambda x: max_pool(x, 3, 2, ceil=True), shape)
    down = jax.eval_shape(lambda x: max_pool(x, 3, 2), shape)
    assert (up.shape[1], down.shape[1]) == (side // 2, side // 2 - 1)


def test_a_window_over_the_edge_uses_only_existing_values():
    x = jnp.arange(16.0).reshape(1, 4, 4, 1)
    assert max_pool(x, 3, 2, ceil=True).reshape(2, 2).tolist() == [[10, 11], [14, 15]]
    np.testing.assert_allclose(
        mean_pool(x, 3, 2, ceil=True).reshape(2, 2), [[5.0, 6.5], [11.0, 12.5]]
    )


def test_rounded_up_one_window_may_be_wider_than_the_maps():
    assert max_pool(LECTURE[:, :2, :2], 3, 2, ceil=True).ravel().tolist() == [6.0]
    assert mean_pool(LECTURE[:, :2, :2], 3, 2, ceil=True).ravel().tolist() == [3.25]
    with pytest.raises(ValueError, match="maps of side 1 with padding 0"):
        max_pool(LECTURE[:, :1, :1], 3, 2, ceil=True)


def test_rounded_up_the_last_window_still_starts_within_the_image():
    # (5 - 2 + 2)/2 + 1 = 3.5; a fourth window would start in the padding on the right.
    assert max_pool(maps(5, 5), 2, 2, padding=1, ceil=True).shape[1:3] == (3, 3)
    assert max_pool(maps(6, 6), 2, 2, padding=1, ceil=True).shape[1:3] == (4, 4)


@pytest.mark.parametrize("ceil", [False, True])
def test_gradient_of_the_maximum_goes_to_the_largest(ceil):
    x = maps(6, 6, seed=3)
    gradient = jax.grad(lambda x: max_pool(x, 2, 2, ceil=ceil).sum())(x)
    blocks = np.asarray(x).reshape(2, 3, 2, 3, 2, 3)
    expected = blocks == blocks.max((2, 4), keepdims=True)
    np.testing.assert_array_equal(np.asarray(gradient), expected.reshape(x.shape))


def test_equal_maxima_share_one_gradient():
    gradient = jax.grad(lambda x: max_pool(x, 2, 2).sum())(jnp.zeros((1, 2, 2, 1)))
    assert gradient.ravel().tolist() == [0.25] * 4


def test_gradients_of_overlapping_padded_windows_are_finite_and_sum_to_one_a_window():
    x = maps(5, 5)
    gradient = jax.grad(lambda x: max_pool(x, 3, 2, padding=1).sum())(x)
    assert jnp.isfinite(gradient).all()
    np.testing.assert_allclose(gradient.sum(), 2 * 3 * 3 * 3, rtol=1e-6)


def test_the_type_of_the_maps_is_kept():
    x = maps(4, 4).astype(jnp.bfloat16)
    assert max_pool(x, 3, 2, ceil=True).dtype == mean_pool(x, 3, 2, 1).dtype == jnp.bfloat16


@pytest.mark.parametrize("pool", [max_pool, mean_pool])
def test_a_window_wider_than_the_maps_is_refused(pool):
    with pytest.raises(ValueError, match="maps of side 2 with padding 0 are too small"):
        pool(maps(2, 9), 3, 1)


@pytest.mark.slow
@pytest.mark.parametrize(("window", "stride", "padding"), [(2, 2, 2), (0, 1, 0), (2, 0, 0)])
def test_impossible_windows_are_refused(window, stride, padding):
    with pytest.raises(ValueError, match=f"window {window}, stride {stride}, padding {padding}"):
        max_pool(maps(8, 8), window, stride, padding)
