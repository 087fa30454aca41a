"""The training images nearest to a generator's samples: has it copied?"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Float64, Int


class Neighbors(NamedTuple):
    """The nearest reference of each query, and how far it is (Euclidean, in pixel units)."""

    indices: Int[np.ndarray, " query"]
    distances: Float64[np.ndarray, " query"]


def nearest_neighbors(
    queries: Float[Array | np.ndarray, " query *query_shape"],
    references: Float[Array | np.ndarray, " reference *reference_shape"],
    chunk_size: int = 4096,
) -> Neighbors:
    """The nearest reference of each query by Euclidean distance over all pixels.

    Squared distances of at most `chunk_size` x `chunk_size` pairs are held at a time, as
    |q|^2 - 2 q.r + |r|^2 in float64; the chosen pair's distance is then taken from the difference
    itself, so that a copy is at exactly 0.

    Raises ValueError for no references, pixels that differ in shape, or a chunk_size below 1.
    """
    if len(references) == 0 or chunk_size < 1:
        raise ValueError(
            f"{len(references)} references in chunks of {chunk_size}: both must be at least 1"
        )
    if queries.shape[1:] != references.shape[1:]:
        raise ValueError(
            f"queries are of shape {queries.shape[1:]} and references of {references.shape[1:]}; "
            "they must be the same"
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
    """The first of the nearest: |q|^2 is the same for all references, and is left out."""
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
