"""Walks through the latent space of a generative model."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def interpolate(
    first: Float[Array, " walk latent"], last: Float[Array, " walk latent"], count: int
) -> Float[Array, " point latent"]:
    """`count` evenly spaced latents from each first to its last, ends included, walk by walk.

    A straight line, as in Goodfellow et al., 2014, Fig. 3.
    """
    weights = jnp.linspace(0.0, 1.0, count)[None, :, None]
    walks = (1.0 - weights) * first[:, None, :] + weights * last[:, None, :]
    return walks.reshape(-1, first.shape[-1])
