"""Minimizes by L-BFGS with one evaluation of the loss per update, so it fits a training step.

A line search with a loop of its own would compute convolution gradients inside a `while_loop`,
which XLA's CPU backend does 40 to 170 times slower, and it could not be interrupted. Here the
params are a trial point. An update, which is given the loss and its gradient there, either accepts
the point and proposes the next one, or proposes a shorter step.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Int32

from lecture_models.image_space.optimizers import Optimizer

_SUFFICIENT = 1e-4  # Armijo's constant: Nocedal and Wright, 2006, section 3.1.
# A shorter step is not tried; the search restarts in the direction of steepest descent.
_SHORTEST = 1e-6


class LbfgsState(NamedTuple):
    """Holds the last accepted point, the step that is tried from there, and the stored pairs.

    Attributes:
        point: the last accepted params, as one vector of n values.
        value: the loss there; infinite before the first evaluation.
        gradient: the gradient of the loss there.
        direction: the search direction d.
        length: the length t of the step; the trial point is point + t d.
        steps: differences s of successive accepted points, the newest last.
        changes: differences y of their gradients, in the same order.
        inverses: 1 / (s . y) of each pair; 0 where no pair is stored.
        accepted: the number of accepted points.
    """

    point: Float[Array, " n"]
    value: Float[Array, ""]
    gradient: Float[Array, " n"]
    direction: Float[Array, " n"]
    length: Float[Array, ""]
    steps: Float[Array, "pair n"]
    changes: Float[Array, "pair n"]
    inverses: Float[Array, " pair"]
    accepted: Int32[Array, ""]


def lbfgs(history_size: int = 10) -> Optimizer:
    """Returns limited-memory BFGS with a backtracking line search.

    The first step moves the params by a Euclidean distance of 1; later steps begin with the full
    quasi-Newton step and are shortened until the loss decreases sufficiently. A pair (s, y) without
    positive curvature is not stored. Nocedal and Wright, 2006, Numerical optimization, algorithms
    7.4 and 3.1.

    Args:
        history_size: number of stored pairs.

    Returns:
        The optimizer. Its params are trial points, which may be worse than the last accepted
        point; `accepted` returns the latter.
    """

    def init(params: Any) -> LbfgsState:
        point, _ = ravel_pytree(params)
        zeros, pairs = jnp.zeros_like(point), jnp.zeros((history_size, point.size))
        infinite, one = jnp.asarray(jnp.inf), jnp.asarray(1.0)
        none = jnp.zeros((history_size,))
        return LbfgsState(
            point, infinite, zeros, zeros, one, pairs, pairs, none, jnp.zeros((), jnp.int32)
        )

    def update(gradients, state: LbfgsState, params, value):
        trial, unravel = ravel_pytree(params)
        gradient, _ = ravel_pytree(gradients)
        good = _sufficient(state, value)
        state = jax.tree.map(
            lambda taken, shorter: jnp.where(good, taken, shorter),
            _accept(state, trial, value, gradient),
            _shorten(state, value),
        )
        return unravel(state.point + state.length * state.direction), state

    def accepted(params, state: LbfgsState):
        _, unravel = ravel_pytree(params)
        return unravel(state.point)

    return Optimizer(init, update, accepted)


def _sufficient(state: LbfgsState, value: Float[Array, ""]) -> Bool[Array, ""]:
    slope = jnp.vdot(state.gradient, state.direction)
    bound = state.value + _SUFFICIENT * state.length * slope
    # A comparison with NaN is false.
    return (value <= bound) & jnp.isfinite(value)


def _accept(state: LbfgsState, point, value, gradient) -> LbfgsState:
    step, change = point - state.point, gradient - state.gradient
    curvature = jnp.vdot(step, change)
    enough = 1e-10 * jnp.vdot(change, change)
    keep = (state.accepted > 0) & (curvature > enough)
    inverse = jnp.where(keep, 1.0 / jnp.where(keep, curvature, 1.0), 0.0)
    pairs = [
        jnp.where(keep, jnp.concatenate([old[1:], new[None]]), old)
        for old, new in (
            (state.steps, step),
            (state.changes, change),
            (state.inverses, inverse),
        )
    ]
    direction = -_inverse_hessian(gradient, *pairs)
    has_pair = pairs[2][-1] > 0.0
    norm = jnp.maximum(jnp.linalg.norm(gradient), 1e-30)
    length = jnp.where(has_pair, 1.0, 1.0 / norm)
    return LbfgsState(point, value, gradient, direction, length, *pairs, state.accepted + 1)


def _inverse_hessian(gradient, steps, changes, inverses):
    """Multiplies by the inverse Hessian: loops over the pairs from the newest on, then back."""
    pairs = (steps, changes, inverses)

    def backwards(direction, pair):
        step, change, inverse = pair
        share = inverse * jnp.vdot(step, direction)
        return direction - share * change, share

    def forwards(direction, pair):
        (step, change, inverse), share = pair
        return direction + (share - inverse * jnp.vdot(change, direction)) * step, None

    direction, shares = jax.lax.scan(backwards, gradient, pairs, reverse=True)
    newest = jnp.vdot(changes[-1], changes[-1]) * inverses[-1]
    direction = direction / jnp.where(newest > 0.0, newest, 1.0)
    direction, _ = jax.lax.scan(forwards, direction, (pairs, shares))
    return direction


def _shorten(state: LbfgsState, value) -> LbfgsState:
    """Shortens the step to the minimum of a parabola, limited to a tenth to a half of its length.

    The parabola has the loss and slope of the accepted point and the loss of the trial point.
    """
    slope = jnp.vdot(state.gradient, state.direction)
    length = state.length
    rise = value - state.value - slope * length
    best = -slope * length**2 / (2.0 * jnp.where(rise > 0.0, rise, 1.0))
    usable = (rise > 0.0) & jnp.isfinite(value)
    shorter = jnp.where(usable, jnp.clip(best, 0.1 * length, 0.5 * length), 0.1 * length)
    lost = shorter < _SHORTEST * jnp.where(state.inverses[-1] > 0.0, 1.0, 0.0)
    norm = jnp.maximum(jnp.linalg.norm(state.gradient), 1e-30)
    return state._replace(
        direction=jnp.where(lost, -state.gradient, state.direction),
        length=jnp.where(lost, 1.0 / norm, shorter),
        inverses=jnp.where(lost, 0.0, state.inverses),
    )
