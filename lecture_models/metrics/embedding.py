"""Measures what an embedding in few dimensions keeps of the neighborhoods of its vectors."""

import numpy as np
from jaxtyping import Array, Float, Int

from lecture_models.metrics.label_agreement import label_agreement, nearest_others

Vectors = Float[Array | np.ndarray, "example dim"]
Points = Float[Array | np.ndarray, "example point_dim"]


def one_nn_error(vectors: Vectors, labels: Int[Array | np.ndarray, " example"]) -> float:
    """Returns the share of examples whose nearest other example is of another class.

    Args:
        vectors: one row per example.
        labels: the class of each example.

    Returns:
        A leave-one-out error from 0 to 1, lower is better.
    """
    return 1.0 - float(label_agreement(nearest_others(vectors, 1), labels).mean())


def trustworthiness(vectors: Vectors, points: Points, neighbors: int) -> float:
    """Returns the trustworthiness of an embedding, computed by scikit-learn.

    It falls with each point among the nearest in the embedding that is not among the nearest of the
    vectors, by how far it is there. The ranks of all pairs are held in memory.

    Args:
        vectors: the vectors, one row per example.
        points: their embedding.
        neighbors: how many nearest points count, fewer than half of the examples.

    Returns:
        A value from 0 to 1, which is 1 if all neighbors in the embedding are neighbors of the
        vectors too. Venna and Kaski, 2001.
    """
    from sklearn.manifold import trustworthiness as of_scikit_learn

    return float(of_scikit_learn(vectors, points, n_neighbors=neighbors))


def continuity(vectors: Vectors, points: Points, neighbors: int) -> float:
    """Returns the continuity of an embedding: its trustworthiness the other way round.

    It falls with each neighbor of a vector that the embedding tears away.

    Args:
        vectors: the vectors, one row per example.
        points: their embedding.
        neighbors: how many nearest vectors count, fewer than half of the examples.

    Returns:
        A value from 0 to 1, higher is better. Venna and Kaski, 2001.
    """
    return trustworthiness(points, vectors, neighbors)


def nearest_to_farthest(vectors: Vectors) -> float:
    """Returns the distance of the nearest other vector divided by that of the farthest one.

    Args:
        vectors: two or more different vectors, one per row.

    Returns:
        The mean over all vectors. Near 1 no vector is nearer than another: the curse of dimension.
        Beyer et al., 1999, When is "nearest neighbor" meaningful?
    """
    from scipy.spatial.distance import pdist, squareform

    distances = squareform(pdist(np.asarray(vectors, np.float64)))
    farthest = distances.max(1)
    np.fill_diagonal(distances, np.inf)
    return float((distances.min(1) / farthest).mean())
