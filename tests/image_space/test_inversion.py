import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.image_space.inversion import (
    CONTRAST,
    UnitWindow,
    central,
    code_error,
    code_match,
    prior_terms,
)
from lecture_models.image_space.terms import View


def maps(seed, count=1):
    return jax.random.normal(jax.random.key(seed), (count, 6, 7, 3))


def view(images, code):
    return View(images, jnp.zeros((len(images), 0)), {"layer": code})


def test_the_code_itself_has_no_error_and_no_code_has_an_error_of_one():
    code = maps(0)
    errors = code_error(jnp.concatenate([code, 0.0 * code]), code[0])
    np.testing.assert_allclose(errors, [0.0, 1.0], rtol=1e-6)


def test_the_error_is_the_squared_norm_relative_to_the_code():
    code, target = maps(1, 2), maps(2)[0]
    expected = [
        np.linalg.norm(each - target) ** 2 / np.linalg.norm(target) ** 2
        for each in np.asarray(code)
    ]
    np.testing.assert_allclose(code_error(code, target), expected, rtol=1e-5)


def test_its_gradient_agrees_with_finite_differences():
    code, target = maps(3), maps(4)[0]

    def error(x):
        return code_match("layer", UnitWindow((1, 2), (4, 4)))(view(x, x), target).sum()

    direction = maps(5)
    slope = (error(code + 1e-2 * direction) - error(code - 1e-2 * direction)) / 2e-2
    assert float(jnp.vdot(jax.grad(error)(code), direction)) == pytest.approx(
        float(slope), rel=1e-3
    )


def test_what_lies_outside_the_window_does_not_count():
    target, window = maps(6)[0], UnitWindow((1, 2), (3, 5))
    elsewhere = jnp.ones_like(target).at[1:4, 2:6].set(0.0)
    assert code_error((target + elsewhere)[None], target, window)[0] == 0.0
    assert code_error((target + 1.0)[None], target, window)[0] > 0.0


@pytest.mark.parametrize(
    ("shape", "side", "first", "last"),
    [((7, 7), 5, (1, 1), (5, 5)), ((8, 13), 5, (1, 4), (5, 8)), ((5, 6), 5, (0, 0), (4, 4))],
)
def test_the_central_window_is_in_the_middle(shape, side, first, last):
    assert central(shape, side) == UnitWindow(first, last)


def test_a_field_larger_than_the_map_is_refused():
    with pytest.raises(ValueError, match="the window has 5x5 units; on a map of 4x9 units"):
        central((4, 9), 5)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (30, 20)])
def test_priors_of_a_picture_of_photographic_contrast_do_not_depend_on_its_size(height, width):
    """|x| = sigma everywhere: the alpha-norm is its weight, a flat image has no variation."""
    variation, alpha = prior_terms(height * width, 3.0, 2.0, 0.5, 6.0)
    flat = view(jnp.full((1, height, width, 3), CONTRAST), maps(7))
    assert alpha.weight * float(alpha.objective(flat, ())[0]) == pytest.approx(0.5, rel=1e-5)
    assert variation.objective(flat, ())[0] == 0.0


def test_variation_of_beta_two_is_measured_in_units_of_the_norm():
    """A ramp of slope CONTRAST along the rows: each place that counts adds one."""
    ramp = CONTRAST * jnp.arange(9.0).reshape(1, 1, 9, 1) * jnp.ones((1, 5, 1, 3))
    variation, _ = prior_terms(45, 1.0, 2.0, 0.0, 6.0)
    cost = variation.weight * float(variation.objective(view(ramp, maps(8)), ())[0])
    assert cost == pytest.approx((5 * 8) / 45, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("beta", "alpha"), [(1.0, 2.0), (2.0, 6.0), (1.5, 6.0)])
def test_gradients_of_the_priors_agree_with_finite_differences(beta, alpha):
    images, direction = 0.5 * maps(9), maps(10)
    terms = prior_terms(42, 1.0, beta, 1.0, alpha)

    def loss(x):
        return sum(each.weight * each.objective(view(x, x), ()).sum() for each in terms)

    slope = (loss(images + 1e-3 * direction) - loss(images - 1e-3 * direction)) / 2e-3
    assert float(jnp.vdot(jax.grad(loss)(images), direction)) == pytest.approx(
        float(slope), rel=5e-3
    )
