import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.losses.gan import (
    discriminator_loss,
    minimax_value,
    non_saturating_generator_loss,
    saturating_generator_loss,
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
