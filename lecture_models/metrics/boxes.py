"""Compares boxes in an image: where an object is, and where it was found."""

from typing import NamedTuple

import numpy as np


class Box(NamedTuple):
    """Describes a rectangle by its edges, in pixels from the image's top left corner.

    Attributes:
        top: distance of the upper edge from the image's upper edge.
        left: distance of the left edge from the image's left edge.
        bottom: distance of the lower edge from the image's upper edge, above `top`.
        right: distance of the right edge from the image's left edge, above `left`.
    """

    top: float
    left: float
    bottom: float
    right: float


def intersection_over_union(first: Box, second: Box) -> float:
    """Returns the area that two boxes share, over the area that they cover together.

    Args:
        first: a box.
        second: another box.

    Returns:
        1 for equal boxes, 0 for boxes that do not overlap.

    Raises:
        ValueError: a box has no area.
    """
    for box in (first, second):
        if box.bottom <= box.top or box.right <= box.left:
            raise ValueError(f"{box} has no area; bottom must exceed top, and right exceed left")
    height = min(first.bottom, second.bottom) - max(first.top, second.top)
    width = min(first.right, second.right) - max(first.left, second.left)
    shared = max(height, 0.0) * max(width, 0.0)
    areas = [(box.bottom - box.top) * (box.right - box.left) for box in (first, second)]
    return shared / (sum(areas) - shared)


def center_distance(first: Box, second: Box) -> float:
    """Returns the Euclidean distance of the centers of two boxes.

    Args:
        first: a box.
        second: another box.

    Returns:
        The distance in pixels.
    """
    down = (first.top + first.bottom - second.top - second.bottom) / 2.0
    right = (first.left + first.right - second.left - second.right) / 2.0
    return float(np.hypot(down, right))
