"""Tests the adding and the copying problem."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.tasks.memory_problems import ADDING, COPYING, draw_adding, draw_copying


def test_always_answering_one_has_the_error_of_a_sixth():
    _, sums = draw_adding(jax.random.key(0), 20_000, 10)
    assert float(jnp.square(sums - 1.0).mean()) == pytest.approx(ADDING.chance(10), rel=0.03)
    assert ADDING.chance(10) == pytest.approx(1.0 / 6.0)


def test_one_number_in_each_half_is_marked_and_the_target_is_their_sum():
    inputs, sums = draw_adding(jax.random.key(1), 50, 7)
    marks = np.asarray(inputs[..., 1])
    np.testing.assert_array_equal(marks[:, :3].sum(1), 1.0)
    np.testing.assert_array_equal(marks[:, 3:].sum(1), 1.0)
    np.testing.assert_allclose(sums, (np.asarray(inputs[..., 0]) * marks).sum(1), rtol=1e-6)


def test_the_symbols_must_be_repeated_after_the_signal():
    inputs, targets = draw_copying(jax.random.key(2), 4, 6)
    assert inputs.shape == (4, 26, 10)
    shown = np.asarray(inputs.argmax(-1))
    np.testing.assert_array_equal(targets[:, -10:], shown[:, :10])
    assert (shown[:, 15] == 9).all()
    assert (np.asarray(targets[:, :-10]) == 8).all()


def test_guessing_the_symbols_costs_the_chance_loss():
    _, targets = draw_copying(jax.random.key(3), 8, 30)
    logits = jnp.full((8, 50, 9), -30.0).at[:, :-10, 8].set(30.0).at[:, -10:, :8].set(30.0)
    assert float(COPYING.loss(logits, targets)) == pytest.approx(COPYING.chance(30), rel=1e-4)
