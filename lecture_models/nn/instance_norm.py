"""Normalizes each channel of each image by its own moments."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

Maps = Float[Array, "batch height width channel"]


def instance_norm(x: Maps, epsilon: float = 1e-5) -> Maps:
    """Returns maps whose channels have mean 0 and variance 1 in each image.

    (x - mean) / sqrt(variance + epsilon), over the places of one channel of one image, without
    scales and biases. An image does not depend on its batch, in training as in evaluation.

    Args:
        x: the maps.
        epsilon: added to the variance.

    Returns:
        Maps of the same shape. Ulyanov et al., "Instance normalization", 2016, Eq. 3.
    """
    mean = x.mean((1, 2), keepdims=True)
    variance = jnp.square(x - mean).mean((1, 2), keepdims=True)
    return (x - mean) * lax.rsqrt(variance + epsilon)
