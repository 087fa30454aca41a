"""Whether near things are of one kind: nearest neighbors within a set, and their labels."""

import numpy as np
from jaxtyping import Array, Float, Float64, Int, Int64

Vectors = Float[Array | np.ndarray, "example dim"]
Neighbors = Int64[np.ndarray, "example neighbor"]


def nearest_others(vectors: Vectors, count: int, chunk_size: int = 512) -> Neighbors:
    """The `count` nearest others of each vector, the nearest first, by Euclidean distance.

    Of equal distances the lower index is first. Squared distances of `chunk_size` vectors to all
    are held at a time, in float64. Raises ValueError where there are not so many others.
    """
    total = len(vectors)
    if not 1 <= count < total:
        raise ValueError(f"{count} neighbors of {total} vectors; allowed are 1 to {total - 1}")
    rows = np.asarray(vectors)
    # Near the origin |q|^2 - 2 q.r + |r|^2 loses the fewest digits.
    mean = rows.mean(axis=0, dtype=np.float64).reshape(1, -1)
    chunks = [
        (first, rows[first : first + chunk_size] - mean) for first in range(0, total, chunk_size)
    ]
    found = np.empty((total, count), np.int64)
    for first, queries in chunks:
        scores = np.concatenate([_scores(queries, each) for _, each in chunks], axis=1)
        own = np.arange(len(queries))
        scores[own, first + own] = np.inf
        found[first + own] = np.argsort(scores, axis=1, kind="stable")[:, :count]
    return found


def _scores(
    queries: Float64[np.ndarray, "query dim"], references: Float64[np.ndarray, "reference dim"]
) -> Float64[np.ndarray, "query reference"]:
    """Squared distances, up to a number for each query."""
    return (references**2).sum(axis=1)[None, :] - 2.0 * queries @ references.T


def label_agreement(
    neighbors: Int[np.ndarray, "example neighbor"], labels: Int[Array | np.ndarray, " example"]
) -> Float64[np.ndarray, " example"]:
    """The share of each example's neighbors that have its label."""
    labels = np.asarray(labels)
    return (labels[neighbors] == labels[:, None]).mean(axis=1)


def chance_agreement(labels: Int[Array | np.ndarray, " example"]) -> float:
    """What neighbors drawn at random agree in: sum_c n_c (n_c - 1) / (n (n - 1)).

    Raises ValueError for fewer than two labels.
    """
    total = len(labels)
    if total < 2:
        raise ValueError(f"{total} labels; at least 2 are needed")
    counts = np.unique(np.asarray(labels), return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1.0)).sum() / (total * (total - 1.0)))
