"""Contrastive divergence: one step of the training of a restricted Boltzmann machine."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Key

from lecture_models.steps.descent import Metrics, Params, TrainState, descend

Visible = Float[Array, "batch visible"]


def contrastive_divergence_step(
    free_energy: Callable[[Params, Visible], Float[Array, " batch"]],
    reconstruct: Callable[[Params, Visible, Key[Array, ""]], Visible],
    optimizer: optax.GradientTransformation,
    state: TrainState,
    visible: Visible,
    key: Key[Array, ""],
) -> tuple[TrainState, Metrics]:
    """One descent of mean F(v) - mean F(v'), v' = `reconstruct(params, v, key)` held fixed.

    For an RBM its gradient in the weights is minus (<v h>_data - <v h>_reconstruction), with
    means for h. The metric, `squared_error`, is sum_i (v'_i - v_i)^2, the mean over the batch and
    before the step: it is not what is descended. Hinton and Salakhutdinov, 2006, Eq. 2.
    """
    reconstructions = jax.lax.stop_gradient(reconstruct(state.params, visible, key))
    squared_error = jnp.sum((reconstructions - visible) ** 2, axis=-1).mean()

    def contrast(params):
        difference = free_energy(params, visible) - free_energy(params, reconstructions)
        return difference.mean(), {"squared_error": squared_error}

    return descend(optimizer, state, contrast)


def rbm_optimizer(
    learning_rate: float, momentum_step: int, decayed: Params
) -> optax.GradientTransformation:
    """Gradient descent with momentum 0.5, 0.9 from `momentum_step` on, and weight decay of 2e-4.

    `decayed` has the structure of the parameters, True for those that decay: weights, not biases.
    Hinton and Salakhutdinov, 2006, supporting text, and the authors' rbm.m.
    """
    momentum = optax.piecewise_constant_schedule(0.5, {momentum_step: 0.9 / 0.5})
    return optax.chain(
        optax.add_decayed_weights(2e-4, mask=decayed),
        optax.inject_hyperparams(optax.sgd)(learning_rate=learning_rate, momentum=momentum),
    )
