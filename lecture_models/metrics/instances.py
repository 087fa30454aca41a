"""Compares maps of instances, in which each object has a number of its own."""

import numpy as np
from jaxtyping import Float64, Int, Integer

from lecture_models.metrics.detection import IOU_THRESHOLDS

Instances = Integer[np.ndarray, "height width"]
TrueInstances = Integer[np.ndarray, "true_height true_width"]


def instance_overlaps(found: Instances, truth: TrueInstances) -> Float64[np.ndarray, "found true"]:
    """Returns the intersection over union of each found object with each true one.

    Args:
        found: the found objects; 0 is background, other numbers are objects.
        truth: the true objects.

    Returns:
        A matrix with one row per found object and one column per true one, in ascending order of
        their numbers.

    Raises:
        ValueError: the shapes differ.
    """
    if found.shape != truth.shape:
        raise ValueError(
            f"the found objects have the shape {found.shape} and the true ones {truth.shape}; they "
            "must be equal"
        )
    rows, own = np.unique(found, return_inverse=True)
    columns, other = np.unique(truth, return_inverse=True)
    pairs = own.ravel() * len(columns) + other.ravel()
    shared = np.bincount(pairs, minlength=len(rows) * len(columns)).reshape(len(rows), -1)
    together = shared.sum(1, keepdims=True) + shared.sum(0, keepdims=True) - shared
    return (shared / together)[rows > 0][:, columns > 0]


def instance_scores(
    found: Instances,
    truth: TrueInstances,
    thresholds: tuple[float, ...] = IOU_THRESHOLDS,
) -> Float64[np.ndarray, " threshold"]:
    """Returns the score of the Data Science Bowl of 2018 at each threshold.

    right / (right + wrong + missed)

    Args:
        found: the found objects.
        truth: the true objects.
        thresholds: an object is right if it overlaps a true one by more; at least 0.5, so that no
            two objects overlap one so much.

    Returns:
        From 0 to 1; 1 where neither has an object. The mean over `IOU_THRESHOLDS` is the Bowl's
        score of a picture. Caicedo et al., 2019, Nature Methods 16, page 1247.

    Raises:
        ValueError: the shapes differ, or a threshold is below 0.5.
    """
    if min(thresholds) < 0.5:
        raise ValueError(f"the least threshold is {min(thresholds)}; it must be at least 0.5")
    table = instance_overlaps(found, truth)
    right = np.array([(table > threshold).sum() for threshold in thresholds])
    both = table.shape[0] + table.shape[1]
    return np.where(both > right, right / np.maximum(both - right, 1), 1.0)


def kinds_of_errors(found: Instances, truth: TrueInstances) -> Int[np.ndarray, "3"]:
    """Returns how many true objects were missed, how many were merged, and how many were split.

    Args:
        found: the found objects.
        truth: the true objects.

    Returns:
        The numbers of true objects without any pixel found; of found objects that cover more than
        half of two or more true ones; and of true objects of which two or more found ones have more
        than half of their own pixels in it.

    Raises:
        ValueError: the shapes differ.
    """
    instance_overlaps(found, truth)  # Checks the shapes.
    rows, own = np.unique(np.append(found.ravel(), 0), return_inverse=True)
    columns, other = np.unique(np.append(truth.ravel(), 0), return_inverse=True)
    shared = np.zeros((len(rows), len(columns)))
    np.add.at(shared, (own[:-1], other[:-1]), 1.0)
    of_true = shared / np.maximum(shared.sum(axis=0, keepdims=True), 1.0)
    of_found = shared / np.maximum(shared.sum(axis=1, keepdims=True), 1.0)
    missed = (of_true[1:, 1:].sum(axis=0) == 0.0).sum()
    merged = ((of_true[1:, 1:] > 0.5).sum(axis=1) > 1).sum()
    split = ((of_found[1:, 1:] > 0.5).sum(axis=0) > 1).sum()
    return np.array([missed, merged, split], np.int64)
