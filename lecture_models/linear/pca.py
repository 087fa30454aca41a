"""Computes principal components, and the angles between the subspaces that they span."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Float32, Float64

Vectors = Float[Array | np.ndarray, "example dim"]
Codes = Float[Array | np.ndarray, "example component"]
Basis = Float[Array | np.ndarray, "dim component"]

CHUNK = 4_096  # The most examples in float64 at a time: 26 MB of MNIST.


class Moments(NamedTuple):
    """Holds the mean and the covariance of examples.

    Attributes:
        mean: E[x].
        covariance: E[(x - mean)(x - mean)^T], divided by the number of examples n.
    """

    mean: Float64[np.ndarray, " dim"]
    covariance: Float64[np.ndarray, "dim dim"]


class PCA(NamedTuple):
    """Holds a principal component analysis.

    Attributes:
        mean: the mean of the examples.
        components: orthonormal columns W, in order of decreasing variance.
        variances: the variance along each component, divided by the number of examples n.
    """

    mean: Float32[np.ndarray, " dim"]
    components: Float32[np.ndarray, "dim component"]
    variances: Float32[np.ndarray, " component"]


def moments(vectors: Vectors) -> Moments:
    """Returns the mean and the covariance of vectors.

    Sums are in float64, because neighboring eigenvalues of images are close.

    Args:
        vectors: the examples, one per row.

    Returns:
        The moments, divided by the number of examples.
    """
    rows = np.asarray(vectors)
    mean = rows.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((len(mean), len(mean)))
    for first in range(0, len(rows), CHUNK):
        centered = rows[first : first + CHUNK] - mean[None, :]
        covariance += centered.T @ centered
    return Moments(mean, covariance / len(rows))


def principal_components(statistics: Moments, num_components: int) -> PCA:
    """Returns the eigenvectors of the covariance with the largest eigenvalues.

    Args:
        statistics: the mean and the covariance of the examples.
        num_components: the number of components, from 1 to the number of dimensions.

    Returns:
        The analysis; the signs of the components are arbitrary. Bishop, 2006, section 12.1.

    Raises:
        ValueError: there are fewer dimensions than components.
    """
    mean, covariance = statistics
    _require_components(num_components, len(mean), f"{len(mean)} dimensions")
    variances, vectors = np.linalg.eigh(covariance)
    largest = slice(None, -num_components - 1, -1)  # eigh's eigenvalues ascend.
    return _pca(mean, vectors[:, largest], variances[largest])


def fit_pca(vectors: Vectors, num_components: int) -> PCA:
    """Returns the orthonormal W along which the variance of vectors is largest.

    argmax over W of sum_i |W^T (x_i - mean)|^2

    The components are eigenvectors of the covariance, or singular vectors of the examples if there
    are fewer examples than dimensions.

    Args:
        vectors: the examples x_i, one per row.
        num_components: the number of components, at most the number of examples and of dimensions.

    Returns:
        The analysis; the signs of the components are arbitrary. The sum of the omitted variances is
        the mean squared error of the reconstructions. Bishop, 2006, section 12.1.

    Raises:
        ValueError: there are fewer examples or dimensions than components, or a value is not a
            finite number.
    """
    count, dim = vectors.shape
    wrong = int((~np.isfinite(np.asarray(vectors))).sum())
    if wrong:
        raise ValueError(f"{wrong} of {count * dim} values are NaN or infinite; remove them")
    _require_components(num_components, min(count, dim), f"{count} examples of {dim} dimensions")
    if count >= dim:
        return principal_components(moments(vectors), num_components)
    mean = np.asarray(vectors).mean(axis=0, dtype=np.float64)
    centered = np.asarray(vectors) - mean[None, :]
    _, scales, rows = np.linalg.svd(centered, full_matrices=False)
    return _pca(mean, rows[:num_components].T, scales[:num_components] ** 2 / count)


def leading(pca: PCA, num_components: int) -> PCA:
    """Returns the analysis with fewer components, the first ones.

    Args:
        pca: the larger analysis.
        num_components: the number of components to keep.

    Returns:
        The smaller analysis.
    """
    return PCA(pca.mean, pca.components[:, :num_components], pca.variances[:num_components])


def project(pca: PCA, vectors: Vectors) -> Codes:
    """Returns the coordinates of vectors along the components.

    z = W^T (x - mean)

    Args:
        pca: the analysis.
        vectors: the vectors x, one per row.

    Returns:
        One code z per row.
    """
    return (vectors - pca.mean[None, :]) @ pca.components


def reconstruct(pca: PCA, codes: Codes) -> Vectors:
    """Returns the points of the principal subspace with given coordinates.

    W z + mean

    Args:
        pca: the analysis.
        codes: the coordinates z, one point per row.

    Returns:
        One vector per row.
    """
    return codes @ pca.components.T + pca.mean[None, :]


def principal_angles(
    first: Basis, second: Float[Array | np.ndarray, "_ _"]
) -> Float64[np.ndarray, " component"]:
    """Returns the principal angles between the spans of two sets of columns.

    For orthonormal A and B of the same spans, cos t_i are the singular values of A^T B, and sin t_i
    those of B - A A^T B. Both are used, because a cosine alone cannot tell 1e-9 from 0.

    Args:
        first: linearly independent columns.
        second: as many linearly independent columns.

    Returns:
        The angles in radians, ascending: 0 for equal subspaces, pi/2 for orthogonal ones. Bjorck
        and Golub, 1973; Knyazev and Argentati, 2002.

    Raises:
        ValueError: the bases differ in shape.
    """
    if first.shape != second.shape:
        raise ValueError(f"bases have shapes {first.shape} and {second.shape}; they must be equal")
    a, b = (np.linalg.qr(np.asarray(basis, np.float64)).Q for basis in (first, second))
    overlap = a.T @ b
    cosines = np.linalg.svd(overlap, compute_uv=False)
    sines = np.linalg.svd(b - a @ overlap, compute_uv=False)[::-1]
    return np.arctan2(sines, cosines)


def _require_components(num_components: int, most: int, data: str) -> None:
    if not 1 <= num_components <= most:
        raise ValueError(
            f"{num_components} components of {data}; the number must be from 1 to {most}"
        )


def _pca(mean: np.ndarray, components: np.ndarray, variances: np.ndarray) -> PCA:
    # Rounding can make an eigenvalue of 0 negative.
    return PCA(
        mean.astype(np.float32),
        np.ascontiguousarray(components, np.float32),
        np.maximum(variances, 0.0).astype(np.float32),
    )
