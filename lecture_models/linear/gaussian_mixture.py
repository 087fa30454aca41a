"""Fits mixtures of Gaussians with full covariances by expectation maximization (EM)."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from lecture_models.linear.kmeans import Vectors, k_means

Responsibilities = Float[Array | np.ndarray, "example component"]


class GaussianMixture(NamedTuple):
    """Holds a mixture density, p(x) = sum_k w_k N(x; m_k, S_k).

    Attributes:
        weights: the weight w_k of each component; they add up to 1.
        means: the mean m_k of each component.
        covariances: the covariance S_k of each component, positive definite.
    """

    weights: Float[Array, " component"]
    means: Float[Array, "component dim"]
    covariances: Float[Array, "component dim dim"]

    @property
    def num_parameters(self) -> int:
        """Returns how many numbers describe the mixture: k - 1 + k d + k d (d + 1) / 2."""
        count, dim = self.means.shape
        return count - 1 + count * dim + count * dim * (dim + 1) // 2


class MixtureFit(NamedTuple):
    """Holds a fitted mixture.

    Attributes:
        mixture: the mixture after the last iteration.
        log_likelihoods: the mean log-likelihood of the examples in nats, before the first
            iteration and after each.
        converged: True if the last gain was below the tolerance.
    """

    mixture: GaussianMixture
    log_likelihoods: tuple[float, ...]
    converged: bool


def joint_log_densities(
    mixture: GaussianMixture, vectors: Vectors
) -> Float[Array, "example component"]:
    """Returns the log of the joint density of each example and component.

    log w_k N(x; m_k, S_k) = log w_k - (d log 2 pi + log |S_k| + |L_k^-1 (x - m_k)|^2) / 2, with the
    Cholesky factor L_k of S_k

    Args:
        mixture: the mixture.
        vectors: the examples x, one per row of d values.

    Returns:
        The logarithms in nats; NaN for a component whose covariance is not positive definite.
    """
    vectors = jnp.asarray(vectors)

    def log_density(component):
        weight, mean, covariance = component
        factor = jnp.linalg.cholesky(covariance)
        whitened = jax.scipy.linalg.solve_triangular(factor, (vectors - mean[None]).T, lower=True)
        half_log_determinant = jnp.log(jnp.diagonal(factor)).sum()
        constant = 0.5 * len(mean) * math.log(2.0 * math.pi)
        return jnp.log(weight) - constant - half_log_determinant - 0.5 * (whitened**2).sum(axis=0)

    # One component at a time: all together need (component, example, dim) numbers.
    return jax.lax.map(log_density, mixture).T


@jax.jit
def mixture_log_likelihoods(mixture: GaussianMixture, vectors: Vectors) -> Float[Array, " example"]:
    """Returns the log-likelihood of each example.

    log sum_k w_k N(x; m_k, S_k)

    Args:
        mixture: the mixture.
        vectors: the examples x, one per row.

    Returns:
        One value per example in nats, higher is better.
    """
    return jax.nn.logsumexp(joint_log_densities(mixture, vectors), axis=1)


@jax.jit
def expectation(
    mixture: GaussianMixture, vectors: Vectors
) -> tuple[Float[Array, "example component"], Float[Array, ""]]:
    """Returns which component each example comes from, in probability: EM's E step.

    r_ik = w_k N(x_i; m_k, S_k) / sum_j w_j N(x_i; m_j, S_j)

    Args:
        mixture: the mixture.
        vectors: the examples x_i, one per row.

    Returns:
        The responsibilities r, whose rows add up to 1, and the mean log-likelihood of the examples
        in nats. Bishop, 2006, equation 9.23.
    """
    joint = joint_log_densities(mixture, vectors)
    return jax.nn.softmax(joint, axis=1), jax.nn.logsumexp(joint, axis=1).mean()


@jax.jit
def maximization(
    vectors: Vectors, responsibilities: Responsibilities, ridge: float | Float[Array, ""]
) -> GaussianMixture:
    """Returns the mixture that fits weighted examples best: EM's M step.

    N_k = sum_i r_ik, w_k = N_k / n, m_k = sum_i r_ik x_i / N_k,
    S_k = sum_i r_ik (x_i - m_k)(x_i - m_k)^T / N_k + ridge I

    Args:
        vectors: the n examples x_i, one per row.
        responsibilities: the weights r_ik.
        ridge: is added to each variance, in squared units of the vectors, so that a component of
            few or equal examples keeps a volume: without it the likelihood has no upper bound.

    Returns:
        The mixture. Bishop, 2006, equations 9.24 to 9.26.
    """
    # A component that no example belongs to must not divide by 0.
    counts = responsibilities.sum(axis=0) + 10.0 * jnp.finfo(vectors.dtype).eps
    means = jnp.matmul(responsibilities.T, vectors, precision="highest") / counts[:, None]

    def covariance(component):
        weights, count, mean = component
        centered = vectors - mean[None]
        scatter = jnp.matmul((weights[:, None] * centered).T, centered, precision="highest")
        return scatter / count + ridge * jnp.eye(len(mean), dtype=vectors.dtype)

    covariances = jax.lax.map(covariance, (responsibilities.T, counts, means))
    return GaussianMixture(counts / counts.sum(), means, covariances)


def expectation_maximization(
    vectors: Vectors,
    mixture: GaussianMixture,
    ridge: float = 1e-6,
    tolerance: float = 1e-4,
    max_iterations: int = 200,
) -> MixtureFit:
    """Alternates between both steps of EM until the likelihood hardly rises.

    With a ridge of 0 no iteration lowers the likelihood; a ridge can lower it a little.

    Args:
        vectors: the examples, one per row.
        mixture: the mixture to begin with.
        ridge: is added to each variance; see `maximization`.
        tolerance: the gain of the mean log-likelihood in nats below which EM ends.
        max_iterations: the most iterations.

    Returns:
        The fit. Dempster, Laird and Rubin, 1977; Bishop, 2006, section 9.2.2.

    Raises:
        ValueError: a covariance is not positive definite.
    """
    vectors = jnp.asarray(vectors)
    responsibilities, mean = expectation(mixture, vectors)
    history = [float(mean)]
    _require_finite(history, ridge)
    for _ in range(max_iterations):
        mixture = maximization(vectors, responsibilities, ridge)
        responsibilities, mean = expectation(mixture, vectors)
        history.append(float(mean))
        _require_finite(history, ridge)
        if abs(history[-1] - history[-2]) < tolerance:
            return MixtureFit(mixture, tuple(history), True)
    return MixtureFit(mixture, tuple(history), False)


def fit_gaussian_mixture(
    key: Key[Array, ""],
    vectors: Vectors,
    num_components: int,
    ridge: float = 1e-6,
    tolerance: float = 1e-4,
    max_iterations: int = 200,
) -> MixtureFit:
    """Fits a mixture by EM, which begins with the clusters of k-means++ and Lloyd's algorithm.

    Args:
        key: a random key, from which k-means draws.
        vectors: the examples, one per row.
        num_components: the number of components, at most that of distinct examples.
        ridge: is added to each variance; see `maximization`.
        tolerance: the gain of the mean log-likelihood in nats below which EM ends.
        max_iterations: the most iterations.

    Returns:
        The fit.

    Raises:
        ValueError: a value is not finite, there are fewer distinct examples than components, or a
            covariance is not positive definite.
    """
    vectors = jnp.asarray(vectors)
    labels = k_means(key, vectors, num_components).labels
    members = jax.nn.one_hot(labels, num_components, dtype=vectors.dtype)
    mixture = maximization(vectors, members, ridge)
    return expectation_maximization(vectors, mixture, ridge, tolerance, max_iterations)


def draw_from_mixture(
    key: Key[Array, ""], mixture: GaussianMixture, count: int
) -> Float[Array, "example dim"]:
    """Draws independent vectors from a mixture.

    Args:
        key: a random key.
        mixture: the mixture.
        count: the number of vectors.

    Returns:
        The vectors, one per row.
    """
    component_key, noise_key = jax.random.split(key)
    components = jax.random.categorical(component_key, jnp.log(mixture.weights), shape=(count,))
    noise = jax.random.normal(noise_key, (count, mixture.means.shape[1]))
    factors = jnp.linalg.cholesky(mixture.covariances)
    return mixture.means[components] + jnp.einsum("nij,nj->ni", factors[components], noise)


def _require_finite(history: list[float], ridge: float) -> None:
    if not math.isfinite(history[-1]):
        raise ValueError(
            f"a covariance is singular after {len(history) - 1} iterations with a ridge of "
            f"{ridge:g}; a larger ridge or fewer components are needed"
        )
