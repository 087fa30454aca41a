"""Fréchet distance between the Gaussians of two feature sets."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Float64


class Gaussian(NamedTuple):
    """Mean and unbiased covariance of features; those of real data are worth keeping."""

    mean: Float64[np.ndarray, " feature"]
    covariance: Float64[np.ndarray, "feature feature"]


def fit_gaussian(features: Float[Array | np.ndarray, "example feature"]) -> Gaussian:
    """Mean and covariance (divided by n - 1), in float64.

    Raises ValueError for fewer than two examples and for features that are not finite.
    """
    values = np.asarray(features, dtype=np.float64)
    if len(values) < 2:
        raise ValueError(f"a covariance needs at least 2 examples; there are {len(values)}")
    broken = int((~np.isfinite(values)).any(axis=1).sum())
    if broken:
        raise ValueError(f"features must be finite; {broken} of {len(values)} examples are not")
    mean = values.mean(axis=0)
    centered = values - mean
    return Gaussian(mean, centered.T @ centered / (len(values) - 1))


def gaussian_distance(a: Gaussian, b: Gaussian) -> float:
    """Squared Fréchet (2-Wasserstein) distance between two Gaussians, in squared feature units.

    ||mean_a - mean_b||^2 + Tr(Sa + Sb - 2 (Sa Sb)^(1/2)). The last trace is the sum of the
    singular values of Ra Rb, where R R = S are symmetric roots: they are the roots of the
    eigenvalues of Ra Sb Ra, and so of Sa Sb, found without the root of a matrix that is not
    symmetric and with no harm from singular covariances.

    Raises ValueError where the Gaussians differ in dimension. Dowson & Landau, "The Fréchet
    distance between multivariate normal distributions", 1982, equation 4.
    """
    if a.mean.shape != b.mean.shape:
        raise ValueError(
            f"features have {a.mean.shape[0]} and {b.mean.shape[0]} dimensions; "
            "a distance needs the same number"
        )
    difference = a.mean - b.mean
    roots = _symmetric_root(a.covariance) @ _symmetric_root(b.covariance)
    fidelity = np.linalg.svd(roots, compute_uv=False).sum()
    total = difference @ difference + np.trace(a.covariance) + np.trace(b.covariance)
    # Rounding can take the distance of equal Gaussians just below zero.
    return max(0.0, float(total - 2.0 * fidelity))


def frechet_distance(
    features_a: Float[Array | np.ndarray, "example_a feature_a"],
    features_b: Float[Array | np.ndarray, "example_b feature_b"],
) -> float:
    """Squared Fréchet distance between the Gaussians fitted to two sets of features.

    The estimate is biased upwards, more so the fewer the examples, so compare only figures of the
    same numbers of examples and of the same feature extractor; it is Heusel et al.'s FID only
    where that is their Inception network.

    Raises ValueError as `fit_gaussian` and `gaussian_distance` do. Heusel et al., "GANs trained by
    a two time-scale update rule converge to a local Nash equilibrium", 2017, equation 6.
    """
    return gaussian_distance(fit_gaussian(features_a), fit_gaussian(features_b))


def _symmetric_root(
    matrix: Float64[np.ndarray, "feature feature"],
) -> Float64[np.ndarray, "feature feature"]:
    eigenvalues, vectors = np.linalg.eigh(matrix)
    # A covariance has no negative eigenvalues; rounding does.
    return (vectors * np.sqrt(np.maximum(eigenvalues, 0.0))) @ vectors.T
