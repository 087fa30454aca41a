"""Estimates a density of the plane by a histogram."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64

Points = Float[np.ndarray, "point 2"]


class PlaneHistogram(NamedTuple):
    """Holds a density that is constant in each cell of a grid.

    Attributes:
        low: the lower left corner of the grid.
        extent: width and height of the grid.
        density: the density in each cell, (column, row).
    """

    low: Float64[np.ndarray, "2"]
    extent: Float64[np.ndarray, "2"]
    density: Float64[np.ndarray, "column row"]


def fit_plane_histogram(points: Points, bins: int, pseudo_count: float = 0.5) -> PlaneHistogram:
    """Returns the share of points in each cell, divided by the cell's area.

    The grid reaches beyond the points by a tenth of their range on each side.

    Args:
        points: the training points.
        bins: the number of cells along each side.
        pseudo_count: is added to each cell, because a density of 0 would make a point impossible.

    Returns:
        The density, whose integral over the grid is 1.

    Raises:
        ValueError: all points have one coordinate in common.
    """
    points = np.asarray(points, np.float64)
    ranges = np.ptp(points, axis=0)
    if (ranges == 0.0).any():
        raise ValueError("all points have one coordinate in common; they must span the plane")
    low, extent = points.min(axis=0) - 0.1 * ranges, 1.2 * ranges
    limits = np.stack([low, low + extent], axis=1)
    counts = np.histogram2d(*points.T, bins=bins, range=limits)[0] + pseudo_count
    return PlaneHistogram(low, extent, counts / counts.sum() / (extent.prod() / bins**2))


def histogram_log_density(
    histogram: PlaneHistogram, points: Points
) -> Float64[np.ndarray, " point"]:
    """Returns the log density of points.

    Args:
        histogram: the histogram.
        points: the points; one outside of the grid gets the lowest density of the grid.

    Returns:
        One value for each point, in nats.
    """
    bins = len(histogram.density)
    places = (np.asarray(points, np.float64) - histogram.low[None]) / histogram.extent[None] * bins
    is_inside = ((places >= 0.0) & (places < bins)).all(axis=1)
    columns, rows = np.clip(places, 0, bins - 1).astype(int).T
    density = np.where(is_inside, histogram.density[columns, rows], histogram.density.min())
    return np.log(density)
