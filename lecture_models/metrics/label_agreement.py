"""Measures how often nearest neighbors within a set have the same label."""

import numpy as np
from jaxtyping import Array, Float, Float64, Int, Int64

Vectors = Float[Array | np.ndarray, "example dim"]
NeighborIndices = Int64[np.ndarray, "example neighbor"]


def nearest_others(vectors: Vectors, count: int, chunk_size: int = 512) -> NeighborIndices:
    """Finds the nearest other vectors of each vector, by Euclidean distance.

    Args:
        vectors: one row per example.
        count: how many neighbors to find.
        chunk_size: how many vectors' squared distances to all are held at a time, in float64.

    Returns:
        The indices of the neighbors, the nearest first; of equal distances the lower index first.

    Raises:
        ValueError: there are fewer than `count` other vectors, or `count` is below 1.
    """
    total = len(vectors)
    if not 1 <= count < total:
        raise ValueError(f"count is {count}; with {total} vectors it must be from 1 to {total - 1}")
    rows = np.asarray(vectors)
    # |q|^2 - 2 q.r + |r|^2 loses the fewest digits near the origin.
    mean = rows.mean(axis=0, dtype=np.float64).reshape(1, -1)
    chunks = [
        (first, rows[first : first + chunk_size] - mean) for first in range(0, total, chunk_size)
    ]
    indices = np.empty((total, count), np.int64)
    for first, queries in chunks:
        scores = np.concatenate([_scores(queries, others) for _, others in chunks], axis=1)
        own = np.arange(len(queries))
        scores[own, first + own] = np.inf
        indices[first + own] = np.argsort(scores, axis=1, kind="stable")[:, :count]
    return indices


def _scores(
    queries: Float64[np.ndarray, "query dim"], references: Float64[np.ndarray, "reference dim"]
) -> Float64[np.ndarray, "query reference"]:
    """Returns squared distances up to a constant for each query."""
    return (references**2).sum(axis=1)[None, :] - 2.0 * queries @ references.T


def label_agreement(
    neighbors: Int[np.ndarray, "example neighbor"], labels: Int[Array | np.ndarray, " example"]
) -> Float64[np.ndarray, " example"]:
    """Returns the share of each example's neighbors that have its label.

    Args:
        neighbors: the indices of each example's neighbors.
        labels: the label of each example.

    Returns:
        A share from 0 to 1 for each example.
    """
    labels = np.asarray(labels)
    return (labels[neighbors] == labels[:, None]).mean(axis=1)


def chance_agreement(labels: Int[Array | np.ndarray, " example"]) -> float:
    """Returns the expected label agreement of neighbors drawn at random.

    sum_c n_c (n_c - 1) / (n (n - 1)), with n_c of the n examples in class c

    Args:
        labels: the label of each example.

    Returns:
        A share from 0 to 1.

    Raises:
        ValueError: there are fewer than two labels.
    """
    total = len(labels)
    if total < 2:
        raise ValueError(f"there are {total} labels; there must be at least 2")
    counts = np.unique(np.asarray(labels), return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1.0)).sum() / (total * (total - 1.0)))
