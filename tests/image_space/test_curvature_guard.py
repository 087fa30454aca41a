"""Checks which pairs of steps and gradient changes L-BFGS keeps."""

import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.image_space.lbfgs import lbfgs


def after_one_step(gradient):
    """Returns the trial and state after a step of length 1 along the first axis that lowers f."""
    optimizer, start = lbfgs(3), jnp.array([1.0, 0.0])
    trial, state = optimizer.update(
        jnp.array([2.0, 0.0]), optimizer.init(start), start, jnp.asarray(1.0)
    )
    np.testing.assert_allclose(trial, [0.0, 0.0], atol=1e-6)
    return optimizer.update(jnp.asarray(gradient), state, trial, jnp.asarray(0.5))


@pytest.mark.parametrize("slope", [3.0, 2.0])
def test_a_pair_without_positive_curvature_is_skipped(slope):
    """The gradient grows, or stays, downhill: y.s is -1 or 0, and the next step is steepest."""
    trial, state = after_one_step([slope, 0.0])
    assert not state.inverses.any()
    assert not state.steps.any()
    np.testing.assert_allclose(state.direction, [-slope, 0.0], rtol=1e-6)
    np.testing.assert_allclose(trial, [-1.0, 0.0], rtol=1e-6)


def test_a_pair_of_positive_curvature_is_kept_and_gives_newtons_step():
    """The slope falls from 2 to 0.5 in a step of 1: it is 0 a third of a step further."""
    trial, state = after_one_step([0.5, 0.0])
    np.testing.assert_allclose(state.inverses, [0.0, 0.0, 1.0 / 1.5], rtol=1e-6)
    np.testing.assert_allclose(state.steps[-1], [-1.0, 0.0], rtol=1e-6)
    np.testing.assert_allclose(trial, [-1.0 / 3.0, 0.0], rtol=1e-5)


def test_the_direction_is_that_of_the_inverse_hessian_written_out():
    """Nocedal and Wright, 2006, Eq. 7.17, from the multiple of the identity of Eq. 7.20."""
    gradient = np.array([0.5, 0.6])
    trial, state = after_one_step(gradient)
    step, change = np.array([-1.0, 0.0]), gradient - np.array([2.0, 0.0])
    curvature = step @ change
    turn = np.eye(2) - np.outer(change, step) / curvature
    start = curvature / (change @ change) * np.eye(2)
    inverse = turn.T @ start @ turn + np.outer(step, step) / curvature
    np.testing.assert_allclose(state.direction, -inverse @ gradient, rtol=1e-5)
    np.testing.assert_allclose(trial, state.direction, atol=1e-6)


@pytest.mark.parametrize(
    ("value", "share"), [(3.0, 0.25), (1.2, 1.0 / 2.2), (0.9999, 0.5), (1e3, 0.1), (np.nan, 0.1)]
)
def test_a_refused_step_is_shortened_to_the_minimum_of_the_parabola(value, share):
    """Nocedal and Wright, 2006, Eq. 3.58, within a tenth and a half of the step.

    From f = 1 the slope is -2 along a step of length 1, so the parabola through f = v at its end
    has its minimum at 1 / (v + 1).
    """
    optimizer, start = lbfgs(3), jnp.array([1.0, 0.0])
    gradient = jnp.array([2.0, 0.0])
    trial, state = optimizer.update(gradient, optimizer.init(start), start, jnp.asarray(1.0))
    shorter, _ = optimizer.update(gradient, state, trial, jnp.asarray(value))
    np.testing.assert_allclose(shorter, [1.0 - share, 0.0], atol=1e-5)


def test_a_trial_must_lower_the_value_by_armijos_share():
    """The slope along the step is -2; a fall by less than 1e-4 of it is not enough."""
    optimizer, start = lbfgs(3), jnp.array([1.0, 0.0])
    gradient = jnp.array([2.0, 0.0])
    trial, state = optimizer.update(gradient, optimizer.init(start), start, jnp.asarray(1.0))
    for value, accepted in ((1.0 - 1e-4, 1), (1.0 - 3e-4, 2)):
        _, after = optimizer.update(gradient, state, trial, jnp.asarray(value))
        assert int(after.accepted) == accepted
