"""Finds the codes of vectors of which some values are hidden, by least squares on the others."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from lecture_models.linear.pca import PCA, Codes, Vectors, project

Weights = Float[Array | np.ndarray, "example dim"]
TUKEY = 2.5  # Of standard deviations; the usual 4.685 lets a large occluder in.
CONSISTENT = 1.4826  # Median absolute deviation -> standard deviation of a normal distribution.


class RobustFit(NamedTuple):
    """Holds the codes of vectors of which unknown values are wrong.

    Attributes:
        codes: the coordinates along the components.
        weights: how far each value was believed, from 0 for a wrong one to 1.
    """

    codes: Float[Array, "example component"]
    weights: Float[Array, "example dim"]


def noise_variance(pca: PCA, vectors: Vectors) -> float:
    """Returns the mean squared error of the reconstructions, per value.

    Args:
        pca: the analysis.
        vectors: the vectors from which it was computed, or others.

    Returns:
        The variance per dimension outside of the space, divided by the dim - component directions
        there, as in probabilistic PCA: Tipping and Bishop, 1999, equation 8.

    Raises:
        ValueError: there are as many components as dimensions.
    """
    dim, count = pca.components.shape
    if count >= dim:
        raise ValueError(f"{count} components of {dim} dimensions leave no noise; use fewer")
    centered = np.asarray(vectors) - pca.mean[None, :]
    outside = (centered**2).sum() - (project(pca, np.asarray(vectors)) ** 2).sum()
    return float(max(outside, 0.0) / len(vectors) / (dim - count))


def masked_codes(
    pca: PCA, vectors: Vectors, visible: Bool[Array | np.ndarray, "example dim"], noise: float = 0.0
) -> Codes:
    """Returns the codes that fit the visible values best.

    argmin over z of sum_{i visible} (x_i - mean_i - (W z)_i)^2 + noise sum_j z_j^2 / variance_j

    Args:
        pca: the analysis, with components W.
        vectors: the vectors x; values that are hidden have no effect.
        visible: True where a value is seen.
        noise: the variance of a value about the space. With it the sum is the negative logarithm
            of the codes' posterior under normal codes; 0 is least squares without a prior, of
            minimal norm where the visible values do not decide.

    Returns:
        One code z per row.

    Raises:
        ValueError: a vector has no visible value.
    """
    visible = np.asarray(visible)
    if not visible.any(axis=1).all():
        hidden = int((~visible.any(axis=1)).sum())
        raise ValueError(f"all values of {hidden} vectors are hidden; at least 1 must be visible")
    centered = jnp.where(visible, vectors - pca.mean[None, :], 0.0)
    return _fit(pca, centered, jnp.asarray(visible, jnp.float32), _prior(pca, noise))


def robust_codes(pca: PCA, vectors: Vectors, noise: float, iterations: int = 8) -> RobustFit:
    """Returns codes that ignore the values which do not fit, without being told which these are.

    Repeats least squares with Tukey's weights (1 - (r / c)^2)^2, where r is a value's residual and
    c is 2.5 times the median absolute residual over its ratio to a standard deviation; a residual
    beyond c has weight 0. It begins with the weights of the residuals from the mean.

    Args:
        pca: the analysis.
        vectors: the vectors.
        noise: the variance of a value about the space, as in `masked_codes`.
        iterations: how often weights and codes are computed.

    Returns:
        The codes and the weights. Huber and Ronchetti, 2009, Robust statistics, chapter 7.
    """
    centered = jnp.asarray(vectors - pca.mean[None, :])
    prior = _prior(pca, noise)

    def weigh(residuals):
        scale = CONSISTENT * jnp.median(jnp.abs(residuals), axis=1, keepdims=True)
        ratio = residuals / jnp.maximum(TUKEY * scale, 1e-6)
        return jnp.where(jnp.abs(ratio) < 1.0, (1.0 - ratio**2) ** 2, 0.0)

    weights = weigh(centered)
    codes = _fit(pca, centered, weights, prior)
    for _ in range(iterations - 1):
        weights = weigh(centered - codes @ pca.components.T)
        codes = _fit(pca, centered, weights, prior)
    return RobustFit(codes, weights)


def _prior(pca: PCA, noise: float) -> Float[Array, " component"]:
    return noise / jnp.maximum(jnp.asarray(pca.variances), 1e-12)


@jax.jit
def _fit(pca: PCA, centered, weights, prior):
    """Solves the normal equations of each vector; a trace of ridge keeps them solvable."""
    components = jnp.asarray(pca.components)

    def solve(vector, weight):
        weighted = components * weight[:, None]
        gram = components.T @ weighted
        ridge = prior + 1e-6 * jnp.trace(gram) / len(prior)
        return jnp.linalg.solve(gram + jnp.diag(ridge), weighted.T @ vector)

    return jax.lax.map(lambda pair: solve(*pair), (centered, weights))
