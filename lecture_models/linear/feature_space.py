"""Measures how far vectors are from the space of principal components, such as face space."""

import numpy as np
from jaxtyping import Array, Float, Float64

from lecture_models.linear.pca import PCA, Vectors, project

LEAST_DEVIATION = 1e-3  # Of pixels in [0, 1]: a quarter of a gray level.


def standardized(vectors: Vectors, least: float = LEAST_DEVIATION) -> Vectors:
    """Returns each vector shifted to mean 0 and scaled to variance 1.

    The light that falls on a picture, x -> a x + b, so has no effect.

    Args:
        vectors: one per row.
        least: a smaller standard deviation counts as this one, so that a constant vector becomes 0.

    Returns:
        The standardized vectors.
    """
    means = vectors.mean(axis=1, keepdims=True)
    deviations = vectors.std(axis=1, keepdims=True)
    return (vectors - means) / np.maximum(deviations, least)


def squared_distances(pca: PCA, vectors: Vectors) -> Float[Array | np.ndarray, " example"]:
    """Returns the squared distance of each vector from the space of the components.

    e^2 = |x - mean|^2 - |W^T (x - mean)|^2

    Args:
        pca: the analysis, with orthonormal components W.
        vectors: the vectors x, one per row.

    Returns:
        The squared distances, at least 0. Turk and Pentland, 1991, "distance from face space".
    """
    centered = vectors - pca.mean[None, :]
    distances = (centered**2).sum(axis=1) - (project(pca, vectors) ** 2).sum(axis=1)
    return distances.clip(0.0)


def span_coordinates(vectors: Vectors) -> Float64[np.ndarray, "example coordinate"]:
    """Returns coordinates of vectors in the space that they span, which keep all distances.

    X X^T = V diag(s) V^T of the centered vectors X; the coordinates are V sqrt(diag(s)). A PCA of
    any of them, in these few coordinates, has the codes of a PCA of the vectors themselves, up to
    signs: it is the n x n problem in place of the dim x dim one.

    Args:
        vectors: one per row; fewer rows than dimensions make this worthwhile.

    Returns:
        One row per vector, at most as many coordinates as vectors. Turk and Pentland, 1991,
        "Calculating eigenfaces".
    """
    rows = np.asarray(vectors, np.float64)
    centered = rows - rows.mean(axis=0, keepdims=True)
    scales, axes = np.linalg.eigh(centered @ centered.T)
    kept = scales > scales[-1] * 1e-12
    return (axes[:, kept] * np.sqrt(scales[kept])[None, :])[:, ::-1]
