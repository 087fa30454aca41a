import jax
import numpy as np
import pytest

from lecture_models.nn.stochastic_depth import expected_depth, linear_decay, sample_depth


def test_survival_decreases_in_equal_steps_to_the_last_block():
    survival = linear_decay(5, 0.5)
    np.testing.assert_allclose(survival, [0.9, 0.8, 0.7, 0.6, 0.5], rtol=1e-12)


def test_blocks_with_survival_1_all_take_part():
    assert linear_decay(7, 1.0) == (1.0,) * 7


@pytest.mark.parametrize("num_blocks", [1, 2, 54, 600])
def test_expected_depth_is_3l_minus_1_over_4_at_one_half(num_blocks):
    depth = expected_depth(linear_decay(num_blocks, 0.5))
    assert depth == pytest.approx((3 * num_blocks - 1) / 4, rel=1e-12)


def test_54_blocks_of_the_110_layers_have_an_expected_depth_of_40_and_a_quarter():
    assert expected_depth(linear_decay(54, 0.5)) == pytest.approx(40.25)


def test_sampled_depths_have_the_expected_mean():
    survival = linear_decay(54, 0.5)
    draws = 4000
    kept = jax.vmap(lambda key: sample_depth(key, survival))(
        jax.random.split(jax.random.key(0), draws)
    )
    np.testing.assert_allclose(kept.mean(0), survival, atol=5 * 0.5 / draws**0.5)
    spread = np.sqrt(sum(p * (1 - p) for p in survival) / draws)
    assert abs(kept.sum(1).mean() - 40.25) < 4 * spread


def test_a_block_that_always_survives_is_never_dropped():
    keys = jax.random.split(jax.random.key(1), 500)
    assert jax.vmap(lambda key: sample_depth(key, (1.0, 0.5)))(keys)[:, 0].all()


@pytest.mark.parametrize("final_survival", [0.0, -0.5, 1.01])
def test_survival_outside_0_to_1_is_refused(final_survival):
    with pytest.raises(ValueError, match=f"final_survival is {final_survival}; it must be"):
        linear_decay(3, final_survival)


def test_no_block_is_refused():
    with pytest.raises(ValueError, match="num_blocks is 0"):
        linear_decay(0, 0.5)
