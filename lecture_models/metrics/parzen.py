"""Estimates the log-likelihood of a sampler with Parzen windows.

Breuleux et al., 2011; Goodfellow et al., 2014.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

# The grid of the authors' code: ten bandwidths from 0.1 to 1, on pixels in [0, 1].
BANDWIDTHS = tuple(float(bandwidth) for bandwidth in np.logspace(-1, 0, 10))


class ParzenEstimate(NamedTuple):
    """Holds the estimate of one sampler.

    Attributes:
        log_likelihood: the mean over the test images in nats, higher is better.
        standard_error: its standard error over the test images, in nats.
        bandwidth: the standard deviation of the windows, in units of pixels in [0, 1].
        validation_log_likelihood: the mean over the validation images in nats, by which the
            bandwidth was chosen.
    """

    log_likelihood: float
    standard_error: float
    bandwidth: float
    validation_log_likelihood: float


def parzen_log_likelihood(
    points: Float[Array, "point feature"] | Float[np.ndarray, "point feature"],
    samples: Float[Array, "sample feature"] | Float[np.ndarray, "sample feature"],
    bandwidth: float,
    chunk_size: int = 1000,
) -> Float[np.ndarray, " point"]:
    """Returns the log density of each point under Gaussian windows around the samples.

    log (1/n) sum_i N(x; s_i, bandwidth^2 I)

    Args:
        points: the points x.
        samples: the n samples s_i.
        bandwidth: the standard deviation of the windows.
        chunk_size: how many points are evaluated at a time; memory is chunk_size times n.

    Returns:
        One value per point in nats.

    Raises:
        ValueError: the bandwidth is not positive.
    """
    if not bandwidth > 0:
        raise ValueError(f"bandwidth is {bandwidth}; it must be positive")
    samples = jnp.asarray(samples, jnp.float32)
    chunks = [
        np.asarray(
            _log_density(jnp.asarray(points[start : start + chunk_size]), samples, bandwidth)
        )
        for start in range(0, len(points), chunk_size)
    ]
    return np.concatenate(chunks)


@jax.jit
def _log_density(points, samples, bandwidth):
    # |x - s|^2 = |x|^2 - 2 x.s + |s|^2 takes one matrix product in place of an array of (point,
    # sample, feature). Pixels are in [0, 1], so cancellation costs at most 1e-4 of |x - s|^2.
    squared = (
        jnp.sum(points**2, axis=1, keepdims=True)
        - 2.0 * points @ samples.T
        + jnp.sum(samples**2, axis=1)[None, :]
    )
    exponents = -jnp.maximum(squared, 0.0) / (2.0 * bandwidth**2)
    log_normalizer = samples.shape[1] * jnp.log(bandwidth * math.sqrt(2.0 * math.pi))
    return jax.nn.logsumexp(exponents, axis=1) - jnp.log(samples.shape[0]) - log_normalizer


def evaluate_sampler(
    samples: Float[Array, "sample feature"] | Float[np.ndarray, "sample feature"],
    validation: Float[Array, "held_out feature"] | Float[np.ndarray, "held_out feature"],
    test: Float[Array, "test feature"] | Float[np.ndarray, "test feature"],
    bandwidths: tuple[float, ...] = BANDWIDTHS,
) -> ParzenEstimate:
    """Chooses the bandwidth on validation images and returns the test log-likelihood.

    The estimate has a high variance and rewards blur (Theis et al., 2016); it serves to compare
    with published numbers.

    Args:
        samples: the sampler's images as vectors of pixels in [0, 1].
        validation: the images on which the bandwidth is chosen.
        test: the images whose likelihood is estimated.
        bandwidths: the bandwidths to try.

    Returns:
        The estimate at the best bandwidth. Goodfellow et al., 2014, section 5, with the grid of
        their code.
    """
    scores = {
        bandwidth: float(parzen_log_likelihood(validation, samples, bandwidth).mean())
        for bandwidth in bandwidths
    }
    bandwidth = max(scores, key=scores.__getitem__)
    log_likelihoods = parzen_log_likelihood(test, samples, bandwidth)
    return ParzenEstimate(
        log_likelihood=float(log_likelihoods.mean()),
        standard_error=float(log_likelihoods.std() / math.sqrt(len(log_likelihoods))),
        bandwidth=bandwidth,
        validation_log_likelihood=scores[bandwidth],
    )
