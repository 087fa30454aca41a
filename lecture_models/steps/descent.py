"""Takes one step of an optimizer down the gradient of a loss, over arrays only."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import optax
from jaxtyping import Array, Float

Params = Any  # A pytree of float arrays.
Metrics = dict[str, Float[Array, ""]]


class TrainState(NamedTuple):
    """Holds the parameters and the state of their optimizer."""

    params: Params
    optimizer_state: optax.OptState


def init_train_state(optimizer: optax.GradientTransformation, params: Params) -> TrainState:
    """Returns the state before the first step.

    Args:
        optimizer: the optimizer of the parameters.
        params: the initial parameters.

    Returns:
        The parameters with a new optimizer state.
    """
    return TrainState(params, optimizer.init(params))


def warmup_cosine(learning_rate: float, num_steps: int) -> optax.Schedule:
    """Returns a schedule that rises from 0 in the first 2% of the steps, then decays to 0.

    Args:
        learning_rate: the peak, reached after num_steps // 50 steps.
        num_steps: the number of steps after which a cosine has reached 0.

    Returns:
        A function from the step to the learning rate.
    """
    return optax.warmup_cosine_decay_schedule(0.0, learning_rate, num_steps // 50, num_steps)


def clip_to_norm(limit: float) -> optax.GradientTransformation:
    """Returns the clipping that precedes an optimizer.

    Args:
        limit: the largest norm of the whole gradient; 0 leaves gradients as they are.

    Returns:
        A transformation to chain before the optimizer. It has no state.
    """
    return optax.clip_by_global_norm(limit) if limit else optax.identity()


def descend(
    optimizer: optax.GradientTransformation,
    state: TrainState,
    loss: Callable[[Params], tuple[Float[Array, ""], Any]],
) -> tuple[TrainState, Any]:
    """Updates the parameters once.

    Args:
        optimizer: the optimizer whose state is updated.
        state: the state before the update.
        loss: maps parameters to the scalar to lower, and to metrics, or to a pytree of metrics and
            more, such as the state that a recurrent network carries on.

    Returns:
        The state after the update, and the metrics (and more) from before it.
    """
    gradient, metrics = jax.grad(loss, has_aux=True)(state.params)
    updates, optimizer_state = optimizer.update(gradient, state.optimizer_state, state.params)
    return TrainState(optax.apply_updates(state.params, updates), optimizer_state), metrics
