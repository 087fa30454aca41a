"""The pointing game on composites: does a map's maximum lie on what it is asked for?"""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float

Image = Float[np.ndarray, "height width channel"]


class Box(NamedTuple):
    """From (top, left) to just before (bottom, right), in pixels."""

    top: int
    left: int
    bottom: int
    right: int


def quadrants(height: int, width: int) -> tuple[Box, Box, Box, Box]:
    """Row by row; the first row and column are the smaller where a side is odd."""
    middle, center = height // 2, width // 2
    return (
        Box(0, 0, middle, center),
        Box(0, center, middle, width),
        Box(middle, 0, height, center),
        Box(middle, center, height, width),
    )


def composite(pictures: Float[Array | np.ndarray, "4 height width channel"]) -> Image:
    """Four pictures in the quadrants of one of the same size, each reduced with antialiasing."""
    _, height, width, channel = pictures.shape
    parts = [
        jax.image.resize(
            picture, (box.bottom - box.top, box.right - box.left, channel), "linear", antialias=True
        )
        for picture, box in zip(np.asarray(pictures), quadrants(height, width), strict=True)
    ]
    return np.concatenate(
        [np.concatenate(parts[first : first + 2], axis=1) for first in (0, 2)], axis=0
    )


def hit(attribution: Float[Array | np.ndarray, "height width"], box: Box) -> float:
    """1 where the map's maximum lies in the box, 0 where not; of equal maxima, the share in it.

    So a map of one value has the box's share of the area, as guessing has.

    Zhang et al., "Top-down neural attention by excitation backprop", 2016, without its
    margin around the object.
    """
    values = np.asarray(attribution)
    best = values == values.max()
    inside = best[box.top : box.bottom, box.left : box.right].sum()
    return float(inside / best.sum())
