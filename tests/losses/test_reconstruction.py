import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.losses.reconstruction import bernoulli_cross_entropy, squared_error

BLACK, WHITE = -jnp.ones((2, 28, 28, 1)), jnp.ones((2, 28, 28, 1))


def test_black_of_white_costs_one_a_pixel():
    assert squared_error(BLACK, WHITE).tolist() == [784.0, 784.0]
    assert squared_error(WHITE, WHITE).tolist() == [0.0, 0.0]


def test_undecided_logits_cost_log_two_a_pixel():
    found = bernoulli_cross_entropy(jnp.zeros((2, 28, 28, 1)), WHITE)
    np.testing.assert_allclose(found, 784 * np.log(2.0), rtol=1e-5)


def test_a_confident_right_decoder_costs_nothing_and_a_wrong_one_its_logit():
    assert bernoulli_cross_entropy(100.0 * WHITE, WHITE).tolist() == [0.0, 0.0]
    assert bernoulli_cross_entropy(-100.0 * WHITE, WHITE)[0] == pytest.approx(78_400.0)


def test_gray_values_are_probabilities():
    gray, logits = jnp.full((1, 2, 2, 1), -0.5), jnp.full((1, 2, 2, 1), 0.7)
    probability = jax.nn.sigmoid(0.7)
    expected = -4 * (0.25 * jnp.log(probability) + 0.75 * jnp.log(1 - probability))
    assert bernoulli_cross_entropy(logits, gray)[0] == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("logit", [-30.0, -2.0, 0.0, 2.0, 30.0])
def test_the_gradient_by_a_logit_is_its_probability_less_the_gray_value(logit):
    def loss(value):
        return bernoulli_cross_entropy(jnp.full((1, 1, 1, 1), value), jnp.zeros((1, 1, 1, 1)))[0]

    assert float(jax.grad(loss)(logit)) == pytest.approx(
        float(jax.nn.sigmoid(logit)) - 0.5, abs=1e-6
    )
