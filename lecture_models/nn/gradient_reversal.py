"""Passes values on unchanged and turns their gradient around."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Values = Float[Array, "*shape"]
Strength = Float[Array, ""]


@jax.custom_vjp
def reverse_gradient(values: Values, strength: Strength) -> Values:
    """Returns the values, whose gradient is multiplied by -strength.

    What follows learns as usual; what comes before learns the opposite. Ganin et al., 2016,
    Domain-adversarial training of neural networks, Eq. 13 and 14.

    Args:
        values: an array of any shape.
        strength: the factor lambda; 0 lets no gradient through.

    Returns:
        The values, bit for bit.
    """
    return values


def _forward(values: Values, strength: Strength) -> tuple[Values, Strength]:
    return values, strength


def _backward(strength: Strength, gradient: Values) -> tuple[Values, Strength]:
    return -strength * gradient, jnp.zeros_like(strength)


reverse_gradient.defvjp(_forward, _backward)
