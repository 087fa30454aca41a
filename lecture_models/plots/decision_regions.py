"""Draws which class a classifier gives to each place of a plane, as frames of a film need it.

No matplotlib: a frame takes milliseconds, and its few colors make a small GIF.
"""

import math

import numpy as np
from jaxtyping import Array, Bool, Float, Float32, Int
from PIL import ImageColor

from lecture_models.plots.class_colors import class_color

_TINT = 0.35  # Strength of a region's color over white.
_EDGE = 0.3  # Width of a dot's outline, as a share of its radius.


def plane_points(
    low: tuple[float, float], high: tuple[float, float], side: int
) -> Float32[np.ndarray, "place 2"]:
    """Returns the places of a picture's pixels, row by row from the top.

    Args:
        low: the smallest horizontal and vertical coordinate.
        high: the largest ones.
        side: height and width of the picture in pixels.

    Returns:
        Horizontal and vertical coordinate of each place.
    """
    horizontal, vertical = (np.linspace(a, b, side) for a, b in zip(low, high, strict=True))
    across, up = np.meshgrid(horizontal, vertical[::-1])
    return np.stack([across, up], -1).reshape(-1, 2).astype(np.float32)


def decision_regions(
    classes: Int[Array | np.ndarray, " place"],
    points: Float[Array | np.ndarray, "point 2"],
    labels: Int[Array | np.ndarray, " point"],
    low: tuple[float, float],
    high: tuple[float, float],
    marked: Bool[Array | np.ndarray, " point"] | None = None,
) -> Float32[np.ndarray, "side side 3"]:
    """Draws regions in the tint of their class, a dark line between them, and points as dots.

    Args:
        classes: the class of each place of `plane_points`.
        points: coordinates (horizontal, vertical) of the points; those outside are not drawn.
        labels: class of each point.
        low: the smallest coordinates, as for `plane_points`.
        high: the largest coordinates.
        marked: points with a black outline, such as those of the wrong class; None for none.

    Returns:
        RGB image in [-1, 1].

    Raises:
        ValueError: the number of places is not a square.
    """
    side = math.isqrt(len(classes))
    if side * side != len(classes):
        raise ValueError(f"there are {len(classes)} places; their number must be a square")
    grid = np.asarray(classes).astype(int).reshape(side, side)
    image = 1.0 - _TINT * (1.0 - _rgb(grid))
    across = np.zeros((side, side), bool)
    beside, below = grid[:, 1:] != grid[:, :-1], grid[1:] != grid[:-1]
    across[:, 1:] |= beside
    across[:, :-1] |= beside
    across[1:] |= below
    across[:-1] |= below
    image[across] = 0.25
    radius = max(2.0, side / 50.0)
    extent = np.subtract(high, low)
    places = (np.asarray(points) - np.reshape(low, (1, 2))) / extent.reshape(1, 2) * (side - 1)
    outlined = np.zeros(len(places), bool) if marked is None else np.asarray(marked)
    for (x, y), label, is_marked in zip(places, np.asarray(labels), outlined, strict=True):
        _dot(image, side - 1 - y, x, radius, label, is_marked)
    return (2.0 * image - 1.0).astype(np.float32)


def _rgb(labels: np.ndarray) -> np.ndarray:
    return np.array([_color(label) for label in range(labels.max() + 1)])[labels]


def _color(label: int) -> tuple[float, ...]:
    return tuple(value / 255.0 for value in ImageColor.getrgb(class_color(label)))


def _dot(image: np.ndarray, row: float, column: float, radius: float, label: int, dark: bool):
    outer = radius * (1.0 + _EDGE) * (1.3 if dark else 1.0)
    rows, columns = (
        slice(max(0, math.floor(center - outer)), max(0, math.ceil(center + outer) + 1))
        for center in (row, column)
    )
    patch = image[rows, columns]
    if patch.size == 0:
        return
    down = np.arange(patch.shape[0])[:, None] + rows.start - row
    across = np.arange(patch.shape[1])[None, :] + columns.start - column
    distance = np.hypot(down, across)
    patch[distance <= outer] = 0.0 if dark else 1.0
    patch[distance <= radius] = _color(int(label))
