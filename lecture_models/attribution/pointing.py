"""Scores attributions by the pointing game on composites of four images.

An attribution wins if its maximum lies on the image whose class it was computed for.
"""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float

Image = Float[np.ndarray, "height width channel"]


class Box(NamedTuple):
    """Describes a rectangle in pixels, from (top, left) up to, not including, (bottom, right)."""

    top: int
    left: int
    bottom: int
    right: int


def quadrants(height: int, width: int) -> tuple[Box, Box, Box, Box]:
    """Returns the four quadrants of an image, row by row.

    Args:
        height: height of the image in pixels; if it is odd, the upper quadrants are smaller.
        width: width of the image in pixels; if it is odd, the left quadrants are smaller.

    Returns:
        The boxes: upper left, upper right, lower left, lower right.
    """
    middle, center = height // 2, width // 2
    return (
        Box(0, 0, middle, center),
        Box(0, center, middle, width),
        Box(middle, 0, height, center),
        Box(middle, center, height, width),
    )


def composite(images: Float[Array | np.ndarray, "4 height width channel"]) -> Image:
    """Returns one image with four images in its quadrants, each reduced with antialiasing.

    Args:
        images: the four images, in the order of `quadrants`.

    Returns:
        An image of the same size as each of the four.
    """
    _, height, width, channel = images.shape
    parts = [
        jax.image.resize(
            image, (box.bottom - box.top, box.right - box.left, channel), "linear", antialias=True
        )
        for image, box in zip(np.asarray(images), quadrants(height, width), strict=True)
    ]
    return np.concatenate(
        [np.concatenate(parts[first : first + 2], axis=1) for first in (0, 2)], axis=0
    )


def hit(attribution: Float[Array | np.ndarray, "height width"], box: Box) -> float:
    """Returns the share of a map's maxima that lie in a box: 1 or 0 for a single maximum.

    A constant map scores the box's share of the area, as guessing does on average. Zhang et al.,
    2016, Top-down neural attention by excitation backprop, without its margin around the object.

    Args:
        attribution: the map.
        box: the box, in pixels of the map.

    Returns:
        The score, from 0 to 1; higher is better.
    """
    values = np.asarray(attribution)
    maxima = values == values.max()
    inside = maxima[box.top : box.bottom, box.left : box.right].sum()
    return float(inside / maxima.sum())
