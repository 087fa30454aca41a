"""Compares clusters with classes."""

import numpy as np
from jaxtyping import Array, Int


def contingency(
    classes: Int[Array | np.ndarray, " example"], clusters: Int[Array | np.ndarray, " example"]
) -> Int[np.ndarray, "class cluster"]:
    """Counts the examples of each class in each cluster.

    Args:
        classes: the class of each example, from 0.
        clusters: the cluster of each example, from 0.

    Returns:
        The counts; a cluster without examples has a column of 0.
    """
    classes, clusters = np.asarray(classes), np.asarray(clusters)
    counts = np.zeros((classes.max() + 1, clusters.max() + 1), np.int64)
    np.add.at(counts, (classes, clusters), 1)
    return counts


def purity(
    classes: Int[Array | np.ndarray, " example"], clusters: Int[Array | np.ndarray, " example"]
) -> float:
    """Returns the share of examples whose class is the most frequent one of their cluster.

    It rises with the number of clusters and is 1 where each example has a cluster of its own.

    Args:
        classes: the class of each example.
        clusters: the cluster of each example.

    Returns:
        A share from 0 to 1. Manning, Raghavan and Schuetze, 2008, section 16.3.
    """
    return float(contingency(classes, clusters).max(axis=0).sum() / len(classes))
