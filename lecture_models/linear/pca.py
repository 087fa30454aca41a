"""Principal component analysis, and the angles between the subspaces that it finds."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Float32, Float64

Vectors = Float[Array | np.ndarray, "example dim"]
Codes = Float[Array | np.ndarray, "example component"]
Basis = Float[Array | np.ndarray, "dim component"]

CHUNK = 4_096  # Examples in float64 at a time: 26 MB of MNIST.


class Moments(NamedTuple):
    """mean = E[x], covariance = E[(x - mean)(x - mean)^T], over the examples: divided by n."""

    mean: Float64[np.ndarray, " dim"]
    covariance: Float64[np.ndarray, "dim dim"]


class PCA(NamedTuple):
    """The mean, orthonormal columns by falling variance, and the variances (divided by n)."""

    mean: Float32[np.ndarray, " dim"]
    components: Float32[np.ndarray, "dim component"]
    variances: Float32[np.ndarray, " component"]


def moments(vectors: Vectors) -> Moments:
    """Mean and covariance, summed in float64: neighboring eigenvalues of images are close."""
    rows = np.asarray(vectors)
    mean = rows.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((len(mean), len(mean)))
    for first in range(0, len(rows), CHUNK):
        centered = rows[first : first + CHUNK] - mean[None, :]
        covariance += centered.T @ centered
    return Moments(mean, covariance / len(rows))


def principal_components(given: Moments, num_components: int) -> PCA:
    """The eigenvectors of the covariance with the largest eigenvalues.

    Raises ValueError where there are fewer dimensions than components.
    """
    _require_components(num_components, len(given.mean), f"{len(given.mean)} dimensions")
    variances, vectors = np.linalg.eigh(given.covariance)
    largest = slice(None, -num_components - 1, -1)  # eigh's eigenvalues ascend.
    return _pca(given.mean, vectors[:, largest], variances[largest])


def fit_pca(vectors: Vectors, num_components: int) -> PCA:
    """argmax over orthonormal W of sum_i |W^T (x_i - mean)|^2, from the examples in rows.

    The sum of the variances that are left out is the mean squared error of the reconstructions.
    By eigenvalues of the covariance, or by singular values where there are fewer examples than
    dimensions. Raises ValueError where either are fewer than the components. Signs are arbitrary.
    Bishop, 2006, section 12.1.
    """
    count, dim = vectors.shape
    _require_components(num_components, min(count, dim), f"{count} examples of {dim} dimensions")
    if count >= dim:
        return principal_components(moments(vectors), num_components)
    mean = np.asarray(vectors).mean(axis=0, dtype=np.float64)
    centered = np.asarray(vectors) - mean[None, :]
    _, scales, rows = np.linalg.svd(centered, full_matrices=False)
    return _pca(mean, rows[:num_components].T, scales[:num_components] ** 2 / count)


def leading(pca: PCA, num_components: int) -> PCA:
    """The PCA of fewer components, which are the first ones of the larger."""
    return PCA(pca.mean, pca.components[:, :num_components], pca.variances[:num_components])


def project(pca: PCA, vectors: Vectors) -> Codes:
    """W^T (x - mean)."""
    return (vectors - pca.mean[None, :]) @ pca.components


def reconstruct(pca: PCA, codes: Codes) -> Vectors:
    """W z + mean: the point of the principal subspace with these coordinates."""
    return codes @ pca.components.T + pca.mean[None, :]


def principal_angles(
    first: Basis, second: Float[Array | np.ndarray, "_ _"]
) -> Float64[np.ndarray, " component"]:
    """Angles in radians, ascending, between the spans of two sets of independent columns.

    cos t_i are the singular values of A^T B and sin t_i those of B - A A^T B, for orthonormal A
    and B of the same spans; both are used, as a cosine alone cannot tell 1e-9 from 0. 0 for equal
    subspaces, pi/2 for orthogonal ones. Bjorck and Golub, 1973; Knyazev and Argentati, 2002.

    Raises ValueError where the bases differ in shape.
    """
    if first.shape != second.shape:
        raise ValueError(f"bases have shapes {first.shape} and {second.shape}; they must be equal")
    a, b = (np.linalg.qr(np.asarray(basis, np.float64)).Q for basis in (first, second))
    overlap = a.T @ b
    cosines = np.linalg.svd(overlap, compute_uv=False)
    sines = np.linalg.svd(b - a @ overlap, compute_uv=False)[::-1]
    return np.arctan2(sines, cosines)


def _require_components(wanted: int, most: int, given: str) -> None:
    if not 1 <= wanted <= most:
        raise ValueError(f"{wanted} components of {given}; allowed are 1 to {most}")


def _pca(mean: np.ndarray, components: np.ndarray, variances: np.ndarray) -> PCA:
    # Rounding can leave an eigenvalue of 0 below 0.
    return PCA(
        mean.astype(np.float32),
        np.ascontiguousarray(components, np.float32),
        np.maximum(variances, 0.0).astype(np.float32),
    )
