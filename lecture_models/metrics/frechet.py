"""Computes the Fréchet distance between the Gaussians of two sets of features."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Float64


class Gaussian(NamedTuple):
    """Holds the mean and the unbiased covariance of features."""

    mean: Float64[np.ndarray, " feature"]
    covariance: Float64[np.ndarray, "feature feature"]


def fit_gaussian(features: Float[Array | np.ndarray, "example feature"]) -> Gaussian:
    """Computes the mean and the covariance (divided by n - 1) in float64.

    Args:
        features: one row of features per example.

    Returns:
        The Gaussian.

    Raises:
        ValueError: there are fewer than two examples, or a feature is not finite.
    """
    values = np.asarray(features, dtype=np.float64)
    if len(values) < 2:
        raise ValueError(f"a covariance needs at least 2 examples; there are {len(values)}")
    not_finite = int((~np.isfinite(values)).any(axis=1).sum())
    if not_finite:
        raise ValueError(f"features must be finite; {not_finite} of {len(values)} examples are not")
    mean = values.mean(axis=0)
    centered = values - mean
    return Gaussian(mean, centered.T @ centered / (len(values) - 1))


def gaussian_distance(a: Gaussian, b: Gaussian) -> float:
    """Returns the squared Fréchet (2-Wasserstein) distance between two Gaussians.

    ||mean_a - mean_b||^2 + Tr(Sa + Sb - 2 (Sa Sb)^(1/2))

    The trace of (Sa Sb)^(1/2) is the sum of the singular values of Ra Rb, where R R = S are
    symmetric roots: these are the roots of the eigenvalues of Ra Sb Ra, and so of Sa Sb. This
    avoids the root of a matrix that is not symmetric, and works for singular covariances.

    Args:
        a: one Gaussian.
        b: the other, of the same dimension.

    Returns:
        The distance in squared units of the features, at least 0, lower is better. Dowson &
        Landau, "The Fréchet distance between multivariate normal distributions", 1982, Eq. 4.

    Raises:
        ValueError: the Gaussians differ in dimension.
    """
    if a.mean.shape != b.mean.shape:
        raise ValueError(
            f"features have {a.mean.shape[0]} and {b.mean.shape[0]} dimensions; "
            "the numbers must be equal"
        )
    difference = a.mean - b.mean
    roots = _symmetric_root(a.covariance) @ _symmetric_root(b.covariance)
    fidelity = np.linalg.svd(roots, compute_uv=False).sum()
    total = difference @ difference + np.trace(a.covariance) + np.trace(b.covariance)
    # Rounding can make the distance of equal Gaussians slightly negative.
    return max(0.0, float(total - 2.0 * fidelity))


def frechet_distance(
    features_a: Float[Array | np.ndarray, "example_a feature_a"],
    features_b: Float[Array | np.ndarray, "example_b feature_b"],
) -> float:
    """Returns the squared Fréchet distance between the Gaussians fitted to two sets of features.

    The estimate is biased upwards, the more so the fewer the examples. So compare only numbers
    from the same number of examples and the same feature extractor; it is Heusel et al.'s FID only
    where that extractor is their Inception network.

    Args:
        features_a: one row of features per example.
        features_b: the features of the other set, of the same dimension.

    Returns:
        The distance in squared units of the features, lower is better. Heusel et al., "GANs
        trained by a two time-scale update rule converge to a local Nash equilibrium", 2017, Eq. 6.

    Raises:
        ValueError: a set has fewer than two examples or features that are not finite, or the sets
            differ in dimension.
    """
    return gaussian_distance(fit_gaussian(features_a), fit_gaussian(features_b))


def _symmetric_root(
    matrix: Float64[np.ndarray, "feature feature"],
) -> Float64[np.ndarray, "feature feature"]:
    eigenvalues, vectors = np.linalg.eigh(matrix)
    # A covariance has no negative eigenvalues, but rounding can make them so.
    return (vectors * np.sqrt(np.maximum(eigenvalues, 0.0))) @ vectors.T
