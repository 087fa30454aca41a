"""One descent of a loss by an optimizer, over arrays only."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import optax
from jaxtyping import Array, Float

Params = Any  # A pytree of float arrays.
Metrics = dict[str, Float[Array, ""]]


class TrainState(NamedTuple):
    """Parameters and what the optimizer remembers of them."""

    params: Params
    optimizer_state: optax.OptState


def init_train_state(optimizer: optax.GradientTransformation, params: Params) -> TrainState:
    """The state before the first step."""
    return TrainState(params, optimizer.init(params))


def warmup_cosine(learning_rate: float, num_steps: int) -> optax.Schedule:
    """Up from 0 in the first fiftieth of the steps, then down to 0 by a cosine."""
    return optax.warmup_cosine_decay_schedule(0.0, learning_rate, num_steps // 50, num_steps)


def descend(
    optimizer: optax.GradientTransformation,
    state: TrainState,
    loss: Callable[[Params], tuple[Float[Array, ""], Metrics]],
) -> tuple[TrainState, Metrics]:
    """The state after one update, and the metrics from before it.

    `loss(params)` gives the scalar to lower, and metrics.
    """
    gradient, metrics = jax.grad(loss, has_aux=True)(state.params)
    updates, optimizer_state = optimizer.update(gradient, state.optimizer_state, state.params)
    return TrainState(optax.apply_updates(state.params, updates), optimizer_state), metrics
