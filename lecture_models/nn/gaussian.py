"""Diagonal Gaussians as (mean, log variance): sampling, density, divergence from N(0, I)."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key


def reparameterize(
    key: Key[Array, ""], mean: Float[Array, "*shape"], log_variance: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    """mean + exp(log_variance / 2) * epsilon, epsilon ~ N(0, I): a sample with a gradient by both.

    Kingma and Welling, 2014, section 2.4.
    """
    return mean + jnp.exp(0.5 * log_variance) * jax.random.normal(key, mean.shape)


def log_density(
    points: Float[Array, "*batch latent"],
    mean: Float[Array, "*batch latent"],
    log_variance: Float[Array, "*batch latent"],
) -> Float[Array, "*batch"]:
    """log N(points; mean, exp(log_variance)) in nats, summed over the last axis."""
    squares = (points - mean) ** 2 * jnp.exp(-log_variance)
    return -0.5 * jnp.sum(squares + log_variance + math.log(2.0 * math.pi), axis=-1)


def divergence(
    mean: Float[Array, "*batch latent"], log_variance: Float[Array, "*batch latent"]
) -> Float[Array, "*batch latent"]:
    """KL(N(mean, exp(log_variance)) || N(0, 1)) of each dimension in nats; 0 at (0, 0).

    (mean^2 + variance - 1 - log variance) / 2. Kingma and Welling, 2014, appendix B.
    """
    return 0.5 * (mean**2 + jnp.exp(log_variance) - 1.0 - log_variance)
