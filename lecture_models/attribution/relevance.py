"""Computes layer-wise relevance propagation: the class score, divided among the inputs.

Bach et al., 2015, On pixel-wise explanations for non-linear classifier decisions by layer-wise
relevance propagation. Its epsilon rule, equation 58, passes the relevance R_j of a unit with the
input z_j = sum_i a_i w_ij + b_j back to the activations a_i of the layer below:

    R_i = sum_j a_i w_ij / (z_j + epsilon sign(z_j)) R_j

A nonlinearity hands its relevance on unchanged. So R_i / a_i is a gradient in which each
nonlinearity f has the derivative f(z) / (z + epsilon sign(z)): Ancona et al., 2018, Towards better
understanding of gradient-based attribution methods for deep neural networks, proposition 1. A model
takes that rule as its nonlinearity, as it takes those of `rectifiers`. Several linear layers in
sequence, such as a convolution and the batch normalization after it, count as one, and a maximum
hands its relevance to the input that was the maximum.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lecture_models.attribution.rectifiers import Nonlinearity, with_backward_pass

Logits = Float[Array, "batch class"]
Inputs = Float[Array, "batch ..."]


def relevance_rule(nonlinearity: Nonlinearity, epsilon: float) -> Nonlinearity:
    """Returns a nonlinearity, or a normalization, whose backward pass is the epsilon rule.

    Passes on s f(z) / (z + e sign(z)) for a signal s, where e is `epsilon` times the root mean
    square of z over all units of the layer and image, and sign(0) is 1; 0 where z is 0.

    With epsilon 0 it suits every function of the form z g(z), such as local response normalization:
    it is the gradient with g(z) held constant.

    Args:
        nonlinearity: the function f, whose values keep the shape of its input.
        epsilon: the stabilizer, at least 0; 0 for a rectifier gives its derivative. More of it
            takes relevance away from units with small inputs.

    Returns:
        A function with the same values.
    """

    def keep(z):
        output = nonlinearity(z)
        return output, _ratio(output, z, epsilon)

    return with_backward_pass(nonlinearity, keep, lambda ratio, signal: (ratio * signal,))


def relevance(
    network: Callable[[Inputs], Logits], inputs: Inputs, targets: Array, epsilon: float
) -> tuple[Inputs, Float[Array, " batch"]]:
    """Returns the relevance of each input value for the class score of its image.

    R = x times the gradient of the score, with the rules of `relevance_rule`. The relevance adds up
    to the score, less what the biases contribute and the stabilizers take. Without biases and with
    epsilon 0, it is the gradient times the input for a network of rectifiers.

    Args:
        network: computes logits from inputs; its nonlinearities must be those of `relevance_rule`.
            An image's logits must depend on that image only.
        inputs: the inputs x of the network, after all preprocessing.
        targets: the index of each image's class, (batch,).
        epsilon: the stabilizer of the class score, in units of the root mean square of an image's
            logits.

    Returns:
        The relevance of each value, of the shape of `inputs`; positive for evidence for the class.
        And the class scores.
    """

    def stabilized(inputs):
        logits = network(inputs)
        scores = jnp.take_along_axis(logits, targets.reshape(-1, 1), axis=1)
        shares = jax.lax.stop_gradient(_ratio(scores, scores, epsilon, logits))
        return (shares * scores).sum(), scores[:, 0]

    gradients, scores = jax.grad(stabilized, has_aux=True)(inputs)
    return inputs * gradients, scores


def _ratio(output: Array, z: Array, epsilon: float, layer: Array | None = None) -> Array:
    """Returns f(z) / (z + e sign(z)), 0 where z is 0; see `relevance_rule` for e."""
    units = z if layer is None else layer
    axes = tuple(range(1, units.ndim))
    scale = epsilon * jnp.sqrt(jnp.square(units).mean(axes)).reshape(-1, *(1,) * (z.ndim - 1))
    stabilized = z + scale * jnp.where(z < 0.0, -1.0, 1.0)
    return jnp.where(z == 0.0, 0.0, output / jnp.where(z == 0.0, 1.0, stabilized))
