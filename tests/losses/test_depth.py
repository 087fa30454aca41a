import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.losses.depth import scale_invariant_error

TRUTH = jnp.log(1.0 + 9.0 * jax.random.uniform(jax.random.key(0), (3, 8, 8)))
PREDICTED = TRUTH + 0.3 * jax.random.normal(jax.random.key(1), (3, 8, 8))


@pytest.mark.parametrize("factor", [0.01, 0.5, 7.0, 1000.0])
def test_a_factor_on_all_depths_costs_nothing_with_weight_one(factor):
    plain = scale_invariant_error(PREDICTED, TRUTH, 1.0)
    scaled = scale_invariant_error(PREDICTED + np.float32(np.log(factor)), TRUTH, 1.0)
    np.testing.assert_allclose(scaled, plain, atol=1e-6)


def test_values_at_known_points():
    double = scale_invariant_error(TRUTH + np.log(2.0, dtype=np.float32), TRUTH)
    np.testing.assert_allclose(double, 0.5 * np.log(2.0) ** 2, rtol=1e-5)
    np.testing.assert_allclose(scale_invariant_error(TRUTH, TRUTH), 0.0, atol=1e-12)


def test_weight_zero_is_the_mean_squared_error():
    losses = scale_invariant_error(PREDICTED, TRUTH, 0.0)
    np.testing.assert_allclose(losses, ((PREDICTED - TRUTH) ** 2).mean(axis=(1, 2)), rtol=1e-5)


def test_it_equals_the_sum_over_pairs_of_pixels():
    """Eigen et al., 2014, equation 2: half the mean squared difference of all pairs."""
    distance = (PREDICTED - TRUTH).reshape(3, -1)
    pairs = (distance[:, :, None] - distance[:, None, :]) ** 2
    losses = scale_invariant_error(PREDICTED, TRUTH, 1.0)
    np.testing.assert_allclose(losses, pairs.mean(axis=(1, 2)) / 2.0, rtol=1e-4)


def test_unknown_pixels_do_not_count_even_if_they_are_not_finite():
    known = jnp.zeros((3, 8, 8), bool).at[:, :4].set(True)
    truth = jnp.where(known, TRUTH, -jnp.inf)
    losses = scale_invariant_error(PREDICTED, truth, known=known)
    np.testing.assert_allclose(
        losses, scale_invariant_error(PREDICTED[:, :4], TRUTH[:, :4]), rtol=1e-5
    )
    gradient = jax.grad(lambda x: scale_invariant_error(x, truth, known=known).sum())(PREDICTED)
    assert jnp.isfinite(gradient).all()
    np.testing.assert_array_equal(gradient[:, 4:], 0.0)
    assert scale_invariant_error(PREDICTED, truth, known=~known & False).tolist() == [0.0] * 3


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="they must be equal"):
        scale_invariant_error(PREDICTED[:, :4], TRUTH)
    with pytest.raises(ValueError, match="it must be from 0 to 1"):
        scale_invariant_error(PREDICTED, TRUTH, 1.5)
