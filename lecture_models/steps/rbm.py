"""Takes one training step of a restricted Boltzmann machine by contrastive divergence."""

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
    """Lowers mean F(v) - mean F(v') once, with the reconstructions v' held fixed.

    The gradient by the weights is minus (<v h>_data - <v h>_reconstruction), with the means of h
    in place of samples.

    Args:
        free_energy: the free energy F; maps (params, visible) to one value per example.
        reconstruct: draws v'; maps (params, visible, key) to visible units.
        optimizer: the optimizer of the parameters.
        state: the state before the step.
        visible: the data v.
        key: the key of the reconstruction.

    Returns:
        The state after the step, and the metric `squared_error` from before it: the batch mean of
        sum_i (v'_i - v_i)^2, which the step does not minimize. Hinton and Salakhutdinov, 2006,
        Eq. 2.
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
    """Returns gradient descent with momentum and a weight decay of 2e-4.

    Args:
        learning_rate: the constant learning rate.
        momentum_step: the step at which the momentum changes from 0.5 to 0.9.
        decayed: a tree of booleans, of the parameters' structure: True for those that decay, which
            are the weights and not the biases.

    Returns:
        The optimizer. Hinton and Salakhutdinov, 2006, supporting text, and the authors' rbm.m.
    """
    momentum = optax.piecewise_constant_schedule(0.5, {momentum_step: 0.9 / 0.5})
    return optax.chain(
        optax.add_decayed_weights(2e-4, mask=decayed),
        optax.inject_hyperparams(optax.sgd)(learning_rate=learning_rate, momentum=momentum),
    )
