"""Finds the training images nearest to a generator's samples, which show copies."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Float64, Int


class Neighbors(NamedTuple):
    """Holds the index of the nearest reference of each query, and its Euclidean distance."""

    indices: Int[np.ndarray, " query"]
    distances: Float64[np.ndarray, " query"]


def nearest_neighbors(
    queries: Float[Array | np.ndarray, " query *query_shape"],
    references: Float[Array | np.ndarray, " reference *reference_shape"],
    chunk_size: int = 4096,
) -> Neighbors:
    """Finds the nearest reference of each query, by Euclidean distance over all pixels.

    Squared distances are compared as |q|^2 - 2 q.r + |r|^2 in float64. The distance of the nearest
    pair is then computed from the difference itself, so that a copy is at exactly 0.

    Args:
        queries: the images to look for.
        references: the images to search.
        chunk_size: at most chunk_size x chunk_size distances are held at a time.

    Returns:
        The indices and the distances, the latter in units of the pixels.

    Raises:
        ValueError: there are no references, the shapes of queries and references differ, or
            chunk_size is below 1.
    """
    if len(references) == 0 or chunk_size < 1:
        raise ValueError(
            f"there are {len(references)} references in chunks of {chunk_size}; both must be at "
            "least 1"
        )
    if queries.shape[1:] != references.shape[1:]:
        raise ValueError(
            f"queries have the shape {queries.shape[1:]} and references {references.shape[1:]}; "
            "the shapes must be equal"
        )
    queries, references = _flat(queries), _flat(references)
    indices = np.zeros(len(queries), dtype=np.int64)
    distances = np.zeros(len(queries))
    for first in range(0, len(queries), chunk_size):
        block = slice(first, first + chunk_size)
        chunk = queries[block].astype(np.float64)
        indices[block] = _nearest_indices(chunk, references, chunk_size)
        distances[block] = np.linalg.norm(chunk - references[indices[block]], axis=1)
    return Neighbors(indices, distances)


def _flat(images: Float[Array | np.ndarray, "image ..."]) -> Float[np.ndarray, "image pixel"]:
    return np.asarray(images).reshape(len(images), -1)


def _nearest_indices(
    queries: Float64[np.ndarray, "query pixel"],
    references: Float[np.ndarray, "reference pixel"],
    chunk_size: int,
) -> Int[np.ndarray, " query"]:
    """Returns the first of the nearest references of each query.

    |q|^2 is the same for all references, so the scores omit it.
    """
    indices = np.zeros(len(queries), dtype=np.int64)
    lowest = np.full(len(queries), np.inf)
    rows = np.arange(len(queries))
    for first in range(0, len(references), chunk_size):
        chunk = references[first : first + chunk_size].astype(np.float64)
        scores = (chunk**2).sum(axis=1) - 2.0 * queries @ chunk.T
        nearest = scores.argmin(axis=1)
        better = scores[rows, nearest] < lowest
        indices[better] = first + nearest[better]
        lowest[better] = scores[rows, nearest][better]
    return indices
