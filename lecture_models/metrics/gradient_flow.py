"""Measures how gradients flow through the time of a recurrent cell."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lecture_models.nn.recurrent_cells import Carry, Cell, Weights

Projected = Float[Array, "time batch gate_feature"]


def state_jacobians(
    cell: Cell, weights: Weights, carry: Carry, projected: Projected
) -> Float[Array, "time feature feature_before"]:
    """Computes the derivative of a cell's memory by the memory before the first step.

    dC_t / dC_0 = product of dC_k / dC_(k-1), through all gates and the fed back output.

    Args:
        cell: the cell; its memory is the last array of its carry: h, or C of an LSTM.
        weights: its weights.
        carry: the carry before the first step, of one sequence: each array (1, h).
        projected: what the inputs add to the gates, (time, 1, gates * h).

    Returns:
        For each step the matrix of the derivatives, (h, h).
    """

    def step(carried, gates):
        carry, tangents = carried

        def pushed(tangent):
            return jax.jvp(lambda state: cell.advance(weights, state, gates), (carry,), (tangent,))

        after, tangents = jax.vmap(pushed, out_axes=(None, 0))(tangents)
        return (after, tangents), tangents[-1][:, 0].T

    features = carry[-1].shape[-1]
    zeros = tuple(jnp.zeros((features, 1, features)) for _ in carry[:-1])
    tangents = (*zeros, jnp.eye(features)[:, None])
    return jax.lax.scan(step, (carry, tangents), projected)[1]


def spectral_norms(
    matrices: Float[Array, "time feature feature_before"],
) -> Float[Array, " time"]:
    """Returns the largest singular value of each matrix.

    Args:
        matrices: one for each step.

    Returns:
        The norms; those of `state_jacobians` are at most sigma_max(W_hh)^t for a plain cell with
        |f'| <= 1: Pascanu et al., 2013, section 2.1.
    """
    return jnp.linalg.svd(matrices, compute_uv=False)[:, 0]


def slopes_by_step(
    cell: Cell,
    weights: Weights,
    carry: Carry,
    projected: Projected,
    readout: Float[Array, " feature"],
) -> Float[Array, " time"]:
    """Computes the norm of the gradient of a loss at the last step by the memory of each step.

    Args:
        cell: the cell.
        weights: its weights.
        carry: the carry before the first step, of one sequence.
        projected: what the inputs add to the gates.
        readout: the gradient of the loss by the last output.

    Returns:
        ||dL/dC_t|| for each step t, as a change of C_t (h where there is no C) acts through all
        later steps.
    """

    def loss(changes):
        def step(carry, inputs):
            gates, change = inputs
            *others, memory = cell.advance(weights, carry, gates)
            return (*others, memory + change[None]), None

        (output, *_), _ = jax.lax.scan(step, carry, (projected, changes))
        return output[0] @ readout

    steps, features = len(projected), carry[-1].shape[-1]
    return jnp.linalg.norm(jax.grad(loss)(jnp.zeros((steps, features))), axis=1)
