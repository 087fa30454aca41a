"""Takes one training step of a network that maps pictures to maps, with batch statistics."""

from collections.abc import Callable
from typing import Any

import jax
import optax
from jaxtyping import Array, Float

from lecture_models.steps.classifier import ClassifierState
from lecture_models.steps.descent import Metrics, Params

# Maps parameters to the scalar to lower, metrics, and the new batch statistics.
DenseLoss = Callable[[Params], tuple[Float[Array, ""], tuple[Metrics, Params]]]


def dense_step(
    optimizer: optax.GradientTransformation, state: ClassifierState, loss: DenseLoss
) -> tuple[ClassifierState, Metrics]:
    """Lowers a loss once.

    Args:
        optimizer: the optimizer of the parameters.
        state: the state before the step.
        loss: maps parameters to the loss, and to metrics and the new running moments.

    Returns:
        The state after the step, and metrics from before it.
    """
    gradient, (metrics, batch_stats) = jax.grad(loss, has_aux=True)(state.params)
    updates, optimizer_state = optimizer.update(gradient, state.optimizer_state, state.params)
    params: Any = optax.apply_updates(state.params, updates)
    return ClassifierState(params, batch_stats, optimizer_state, state.step + 1), metrics
