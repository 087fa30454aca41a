"""Draws a density of the plane as a map, with points on it."""

import numpy as np
from jaxtyping import Array, Float, Float32

from lecture_models.plots.figure import new_figure, to_image


def density_map(
    density: Float[Array | np.ndarray, "row column"],
    points: Float[Array | np.ndarray, "point 2"],
    low: tuple[float, float],
    high: tuple[float, float],
    largest: float,
    title: str = "",
) -> Float32[np.ndarray, "side side 3"]:
    """Draws the density by color, and points as small dots.

    Args:
        density: the density at the places of a grid, the lowest row first.
        points: coordinates (horizontal, vertical); those outside are not drawn.
        low: the smallest horizontal and vertical coordinate.
        high: the largest ones.
        largest: the density of the darkest color, so that several maps can be compared.
        title: text above the map.

    Returns:
        RGB image in [-1, 1], identical for identical arguments.
    """
    figure = new_figure()
    axes = figure.add_subplot(box_aspect=1.0)
    axes.imshow(
        # The root shows the tails, too.
        np.sqrt(np.asarray(density)),
        origin="lower",
        extent=(low[0], high[0], low[1], high[1]),
        cmap="Blues",
        vmin=0.0,
        vmax=float(np.sqrt(largest)),
        aspect="auto",
    )
    axes.scatter(*np.asarray(points).T, s=1.5, c="#d62728", linewidths=0, alpha=0.6)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), title=title)
    return to_image(figure)
