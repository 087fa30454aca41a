"""L-BFGS whose every update is one evaluation, so that it is a step like any other.

A line search in a loop of its own would compute convolution gradients inside `while_loop`, which
XLA does 40 to 170 times slower on the CPU, and could not be interrupted. Here the params are the
point under trial: an update that is given its value and gradient either accepts it and proposes
the next, or proposes a shorter step.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Int32

from lecture_models.image_space.optimizers import Optimizer

_SUFFICIENT = 1e-4  # Armijo's constant: Nocedal and Wright, 2006, section 3.1.
_SHORTEST = 1e-6  # Of a step, where the direction is given up for the steepest.


class LbfgsState(NamedTuple):
    """The last accepted point, the step from there under trial, and the newest pairs last.

    `inverses` are 1 / (s . y), 0 where there is no pair yet; `value` is infinite before the first
    evaluation.
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
    """Limited-history_size BFGS with a backtracking search. Nocedal and Wright, 2006, algorithm 7.4.

    The first step has length 1, later ones begin with the whole quasi-Newton step. A pair without
    positive curvature is not kept. The last accepted point is what `accepted` gives.
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
            lambda taken, refused: jnp.where(good, taken, refused),
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
    # Never true of a NaN.
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
    """The two loops over the pairs, the newest first, then back."""
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
    """To the minimum of the parabola through what is known, at most half, at least a tenth."""
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
