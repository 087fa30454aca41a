"""Computes Fisher's linear discriminant: directions along which classes lie far apart."""

from typing import NamedTuple

import numpy as np
import scipy.linalg
from jaxtyping import Float, Float64, Int

Rows = Float[np.ndarray, "example dim"]
Labels = Int[np.ndarray, " example"]


class Scatter(NamedTuple):
    """Holds the covariances of labeled examples, divided by the number of examples.

    Attributes:
        within: the covariance of the examples around the means of their classes.
        between: the covariance of the means, each counted as often as its class has examples.
    """

    within: Float64[np.ndarray, "dim dim"]
    between: Float64[np.ndarray, "dim dim"]


def scatter_of(rows: Rows, labels: Labels) -> Scatter:
    """Returns the covariance within and between classes; their sum is the covariance.

    Args:
        rows: the examples.
        labels: the class of each.

    Returns:
        The two covariances.

    Raises:
        ValueError: there is only one class.
    """
    values, own = np.unique(labels, return_inverse=True)
    if len(values) < 2:
        raise ValueError(f"there is {len(values)} class; a discriminant needs at least 2")
    rows = np.asarray(rows, np.float64)
    shares = np.bincount(own) / len(rows)
    means = np.stack([rows[own == index].mean(axis=0) for index in range(len(values))])
    inside = rows - means[own]
    apart = means - (shares @ means)[None]
    return Scatter(inside.T @ inside / len(rows), (apart * shares[:, None]).T @ apart)


def fisher_ratio(
    directions: Float[np.ndarray, "dim direction"], scatter: Scatter
) -> Float64[np.ndarray, " direction"]:
    """Returns how far classes lie apart along directions, in units of their own width.

    J(w) = w^T S_b w / w^T S_w w

    Args:
        directions: the directions w of any length, one per column.
        scatter: the covariances S_w and S_b.

    Returns:
        J of each. Fisher, 1936; Bishop, 2006, section 4.1.4.
    """
    between, within = (
        np.einsum("dk,de,ek->k", directions, matrix, directions)
        for matrix in (scatter.between, scatter.within)
    )
    return between / within


def fit_discriminant(
    scatter: Scatter, count: int, shrinkage: float = 0.0
) -> tuple[Float64[np.ndarray, "dim direction"], Float64[np.ndarray, " direction"]]:
    """Returns the directions with the largest ratio, the best first.

    They solve S_b w = J S_w w. With c classes at most c - 1 ratios are not 0.

    Args:
        scatter: the covariances.
        count: the number of directions, at most the number of dimensions.
        shrinkage: the share of a multiple of the identity with the same trace that replaces S_w,
            from 0 to 1; without any, S_w must have full rank.

    Returns:
        The directions, whose codes have unit variance within classes, and the ratios J.

    Raises:
        ValueError: there are fewer dimensions than directions, or S_w is singular.
    """
    dim = len(scatter.within)
    if not 1 <= count <= dim:
        raise ValueError(f"{count} directions are asked for; there can be 1 to {dim}")
    identity = np.trace(scatter.within) / dim * np.eye(dim)
    within = (1.0 - shrinkage) * scatter.within + shrinkage * identity
    try:
        ratios, directions = scipy.linalg.eigh(scatter.between, within)
    except np.linalg.LinAlgError as error:
        raise ValueError(
            f"the covariance within classes is singular in {dim} dimensions; use fewer dimensions, "
            "more examples, or some shrinkage"
        ) from error
    largest = slice(None, -count - 1, -1)  # The ratios ascend.
    return directions[:, largest], ratios[largest]
