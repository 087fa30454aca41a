"""Finds the codes of vectors of which some values are hidden, by least squares on the others."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from lecture_models.linear.pca import PCA, Codes, Vectors, leading, project

Weights = Float[Array | np.ndarray, "example dim"]
TUKEY = 2.5  # Of standard deviations; the usual 4.685 lets a large occluder in.
CONSISTENT = 1.4826  # Median absolute deviation -> standard deviation of a normal distribution.
FIRST = 5  # Components of the first stage of the robust fit.


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


def robust_codes(pca: PCA, vectors: Vectors, noise: float, iterations: int = 4) -> RobustFit:
    """Returns codes that ignore the values which do not fit, without being told which these are.

    Repeats least squares with Tukey's weights (1 - (r / c)^2)^2, where r is the ratio of a value's
    residual to the standard deviation that the analysis expects there, and c is 2.5 times the
    scale of the ratios: their median absolute value over its ratio to a standard deviation, but at
    most 1, so that many wrong values cannot widen it. A ratio beyond c has weight 0.

    It begins with the residuals from the mean and the first 5 components, and adds the others by
    and by: few components cannot follow what is wrong.

    Args:
        pca: the analysis.
        vectors: the vectors.
        noise: the variance of a value about the space, as in `masked_codes`; above 0.
        iterations: how often weights and codes are computed with all components.

    Returns:
        The codes and the weights. Huber and Ronchetti, 2009, Robust statistics, chapter 7; the
        order from coarse to fine is ours.

    Raises:
        ValueError: `noise` is not above 0.
    """
    if noise <= 0.0:
        raise ValueError(f"noise is {noise}; it must be above 0")
    centered = jnp.asarray(vectors - pca.mean[None, :])
    weights = _tukey(centered / _expected(pca, noise)[0])
    for count, repeats in _stages(pca.components.shape[1], iterations):
        few = leading(pca, count)
        deviations, rest = _expected(pca, noise, count)
        for _ in range(repeats):
            codes = _fit(few, centered, weights, _prior(few, rest))
            weights = _tukey((centered - codes @ few.components.T) / deviations)
    return RobustFit(codes, weights)


def _stages(count: int, iterations: int) -> list[tuple[int, int]]:
    """Returns how many components are fitted how often: 5, 10, 20, ... twice, and then all."""
    coarse, few = [], FIRST
    while few < count:
        coarse.append((few, 2))
        few *= 2
    return [*coarse, (count, iterations)]


def _expected(pca: PCA, noise: float, count: int = 0) -> tuple[Float[Array, "1 dim"], float]:
    """Returns the deviation of each value from the first components, and its mean variance."""
    omitted = jnp.asarray(pca.variances[count:])
    variances = jnp.asarray(pca.components[:, count:]) ** 2 @ omitted + noise
    rest = noise + float(omitted.sum()) / (len(variances) - count)
    return jnp.sqrt(variances)[None, :], rest


def _tukey(ratios: Float[Array, "example dim"]) -> Float[Array, "example dim"]:
    scales = CONSISTENT * jnp.median(jnp.abs(ratios), axis=1, keepdims=True)
    shares = ratios / jnp.maximum(TUKEY * jnp.minimum(scales, 1.0), 1e-6)
    return jnp.where(jnp.abs(shares) < 1.0, (1.0 - shares**2) ** 2, 0.0)


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
