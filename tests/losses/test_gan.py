import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.losses.gan import (
    GAMES,
    discriminator_loss,
    minimax_value,
    non_saturating_generator_loss,
    points_between,
    saturating_generator_loss,
    slope_penalty,
    squared_slopes,
)

LOGITS = jnp.linspace(-5.0, 5.0, 11)
OTHER_LOGITS = jnp.linspace(3.0, -4.0, 11)


def test_undecided_discriminator_loses_two_log_two():
    loss = discriminator_loss(jnp.zeros(3), jnp.zeros(3))
    np.testing.assert_allclose(loss, 2 * math.log(2), rtol=1e-6)


def test_minimax_value_where_generator_has_won_is_minus_log_four():
    np.testing.assert_allclose(minimax_value(jnp.zeros(3), jnp.zeros(3)), -math.log(4), rtol=1e-6)


def test_value_is_the_lectures_formula():
    real, fake = jax.nn.sigmoid(LOGITS), jax.nn.sigmoid(OTHER_LOGITS)
    np.testing.assert_allclose(
        minimax_value(LOGITS, OTHER_LOGITS), jnp.log(real) + jnp.log(1 - fake), rtol=1e-5
    )


def test_generator_losses_are_the_papers_formulas():
    fake = jax.nn.sigmoid(LOGITS)
    np.testing.assert_allclose(saturating_generator_loss(LOGITS), jnp.log(1 - fake), rtol=1e-4)
    np.testing.assert_allclose(non_saturating_generator_loss(LOGITS), -jnp.log(fake), rtol=1e-4)


def test_discriminator_wants_real_up_and_fake_down():
    slopes = jax.grad(lambda real, fake: discriminator_loss(real, fake).sum(), argnums=(0, 1))
    real_slope, fake_slope = slopes(LOGITS, OTHER_LOGITS)
    assert (real_slope < 0).all()
    assert (fake_slope > 0).all()


@pytest.mark.parametrize("loss", [saturating_generator_loss, non_saturating_generator_loss])
def test_generator_wants_fakes_taken_for_real(loss):
    assert (jax.grad(lambda logits: loss(logits).sum())(LOGITS) < 0).all()


def test_saturating_gradient_vanishes_where_fakes_are_rejected():
    rejected = -30.0
    saturating = jax.grad(lambda logit: saturating_generator_loss(logit[None])[0])(rejected)
    non_saturating = jax.grad(lambda logit: non_saturating_generator_loss(logit[None])[0])(rejected)
    assert abs(saturating) < 1e-12
    assert non_saturating == pytest.approx(-1.0)


def test_no_confidence_overflows():
    extreme = jnp.array([-1e4, 1e4])
    for values in (
        discriminator_loss(extreme, extreme),
        saturating_generator_loss(extreme),
        non_saturating_generator_loss(extreme),
    ):
        assert jnp.isfinite(values).all()


def test_one_value_for_each_example():
    assert discriminator_loss(LOGITS, OTHER_LOGITS).shape == (11,)


def test_logits_of_another_shape_are_refused_not_broadcast():
    with pytest.raises(Exception, match="fake_logits"):
        discriminator_loss(jnp.zeros(3), jnp.zeros((3, 1)))
    with pytest.raises(Exception, match="fake_logits"):
        discriminator_loss(jnp.zeros(3), jnp.zeros(1))


@pytest.mark.parametrize(
    ("name", "critic", "generator"),
    [
        ("non_saturating", math.log1p(math.exp(-2)) + math.log1p(math.exp(-1)), math.log1p(math.e)),
        (
            "saturating",
            math.log1p(math.exp(-2)) + math.log1p(math.exp(-1)),
            -math.log1p(1 / math.e),
        ),
        ("wasserstein", -3.0, 1.0),
        ("hinge", 0.0, 1.0),
        ("least_squares", 1.0, 2.0),
    ],
)
def test_each_game_has_its_losses_at_a_known_point(name, critic, generator):
    """Scores a real image 2 and a fake one -1."""
    game = GAMES[name]
    real, fake = jnp.array([2.0]), jnp.array([-1.0])
    np.testing.assert_allclose(game.critic(real, fake), [critic], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(game.generator(fake), [generator], rtol=1e-6)


def test_the_hinge_game_ignores_images_beyond_the_margins():
    slopes = jax.grad(lambda real, fake: GAMES["hinge"].critic(real, fake).sum(), (0, 1))
    real, fake = slopes(jnp.array([1.5, 0.5]), jnp.array([-1.5, -0.5]))
    np.testing.assert_array_equal(real, [0.0, -1.0])
    np.testing.assert_array_equal(fake, [0.0, 1.0])


@pytest.mark.parametrize("name", GAMES)
def test_in_every_game_the_generator_wants_higher_scores(name):
    scores = jnp.array([-1.0, 0.0, 0.5])
    assert (jax.grad(lambda fake: GAMES[name].generator(fake).sum())(scores) < 0).all()


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 3.0])
def test_the_slope_penalty_of_a_linear_critic_is_that_of_its_weights(scale):
    weights = jax.random.normal(jax.random.key(0), (3, 4, 2))
    weights = scale * weights / jnp.linalg.norm(weights)
    images = jax.random.normal(jax.random.key(1), (5, 3, 4, 2))

    def critic(images):
        return jnp.einsum("bhwc,hwc->b", images, weights), "more"

    squares, logits, more = squared_slopes(critic, images)
    np.testing.assert_allclose(squares, scale**2, rtol=1e-5)
    np.testing.assert_allclose(logits, critic(images)[0], rtol=1e-6)
    assert more == "more"
    np.testing.assert_allclose(slope_penalty(squares), (scale - 1.0) ** 2, rtol=1e-4, atol=1e-6)


def test_the_slope_penalty_has_a_gradient_where_the_slope_is_zero():
    assert np.isfinite(jax.grad(lambda square: slope_penalty(square[None])[0])(jnp.zeros(())))


def test_points_between_lie_on_the_lines_from_real_to_fake_images():
    real, fake = jnp.zeros((500, 1, 2, 1)), jnp.ones((500, 1, 2, 1))
    points = np.asarray(points_between(jax.random.key(0), real, fake))
    np.testing.assert_array_equal(points[:, 0, 0], points[:, 0, 1])  # One share for each pair.
    assert points.min() >= 0.0
    assert points.max() <= 1.0
    assert points.mean() == pytest.approx(0.5, abs=0.05)
