"""Draws samples of diagonal Gaussians, and computes their densities and divergences from N(0, I).

A Gaussian is given by its mean and its log variance, each with one value per dimension.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key


def reparameterize(
    key: Key[Array, ""], mean: Float[Array, "*shape"], log_variance: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    """Draws a sample that is differentiable with respect to the mean and the log variance.

    mean + exp(log_variance / 2) * epsilon, epsilon ~ N(0, I)

    Args:
        key: a random key.
        mean: the mean of each dimension.
        log_variance: the natural logarithm of the variance of each dimension.

    Returns:
        One sample of the same shape. Kingma and Welling, 2014, section 2.4.
    """
    return mean + jnp.exp(0.5 * log_variance) * jax.random.normal(key, mean.shape)


def log_density(
    points: Float[Array, "*batch latent"],
    mean: Float[Array, "*batch latent"],
    log_variance: Float[Array, "*batch latent"],
) -> Float[Array, "*batch"]:
    """Returns the log density of points, summed over the last axis.

    log N(points; mean, exp(log_variance))

    Args:
        points: the points.
        mean: the mean of each dimension.
        log_variance: the natural logarithm of the variance of each dimension.

    Returns:
        One value per point in nats; -(L/2) log(2 pi) at the mean of N(0, I) in L dimensions.
    """
    squares = (points - mean) ** 2 * jnp.exp(-log_variance)
    return -0.5 * jnp.sum(squares + log_variance + math.log(2.0 * math.pi), axis=-1)


def kl_divergence(
    mean: Float[Array, "*batch latent"], log_variance: Float[Array, "*batch latent"]
) -> Float[Array, "*batch latent"]:
    """Returns the Kullback-Leibler divergence of each dimension from N(0, 1).

    KL(N(mean, exp(log_variance)) || N(0, 1)) = (mean^2 + variance - 1 - log variance) / 2

    Args:
        mean: the mean of each dimension.
        log_variance: the natural logarithm of the variance of each dimension.

    Returns:
        One value per dimension in nats, at least 0; 0 for mean 0 and log variance 0. Kingma and
        Welling, 2014, appendix B.
    """
    return 0.5 * (mean**2 + jnp.exp(log_variance) - 1.0 - log_variance)
