"""Keeps the parameters that were best on validation data, and lowers a learning rate."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float32, Int32

from lecture_models.steps.descent import Params

RECENT = 3  # Losses with which a new one is compared before the learning rate falls.


class BestSoFar(NamedTuple):
    """Holds the parameters with the lowest validation loss so far.

    Attributes:
        params: the parameters.
        loss: their loss.
        step: the step after which they were checked; 0 before the first check.
        recent: the losses of the last checks, the newest last.
        checks: the number of checks.
    """

    params: Params
    loss: Float32[Array, ""]
    step: Int32[Array, ""]
    recent: Float32[Array, " check"]
    checks: Int32[Array, ""]


def init_best(params: Params, loss: float) -> BestSoFar:
    """Returns what is kept before the first check.

    Args:
        params: the first parameters, which are copied, so that a donated state holds none twice.
        loss: a finite loss that the first check will fall below, such as that of chance.

    Returns:
        The parameters as the best ones so far.
    """
    return BestSoFar(
        jax.tree.map(jnp.copy, params),
        jnp.float32(loss),
        jnp.int32(0),
        jnp.full(RECENT, loss, jnp.float32),
        jnp.int32(0),
    )


def keep_best(
    best: BestSoFar, params: Params, loss: Float32[Array, ""], step: Int32[Array, ""]
) -> BestSoFar:
    """Returns the best parameters after one more check.

    Args:
        best: those before.
        params: the parameters that were checked.
        loss: their loss.
        step: the step after which they were checked.

    Returns:
        The parameters with the lower loss; the older ones if the losses are equal or the new one
        is not a number.
    """
    better = loss < best.loss
    params, lowest, at = jax.tree.map(
        lambda new, old: jnp.where(better, new, old),
        (params, loss, step),
        (best.params, best.loss, best.step),
    )
    recent = jnp.roll(best.recent, -1).at[-1].set(loss)
    return BestSoFar(params, lowest, at, recent, best.checks + 1)


def has_risen(
    best: BestSoFar, loss: Float32[Array, ""], least_checks: int = 10
) -> Float32[Array, ""]:
    """Tells whether a validation loss is above all of the last three.

    Args:
        best: what is kept before the check of this loss.
        loss: the new loss.
        least_checks: so many checks come before the first rise that counts.

    Returns:
        1.0 or 0.0. Bai et al., 2018, `music_test.py`.
    """
    risen = (best.checks >= least_checks) & (loss > best.recent.max())
    return risen.astype(jnp.float32)


class RateFactor(NamedTuple):
    """Holds a number by which updates are multiplied."""

    factor: Float32[Array, ""]


def scale_by_factor() -> optax.GradientTransformation:
    """Multiplies updates by a factor that the training step can change; it comes last in a chain.

    Returns:
        The transformation; its factor is 1 at first.
    """

    def init(params):
        del params
        return RateFactor(jnp.float32(1.0))

    def update(updates, state, params=None):
        del params
        return jax.tree.map(lambda value: state.factor * value, updates), state

    return optax.GradientTransformation(init, update)
