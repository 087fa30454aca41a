"""Computes with boxes in images: overlap, and the numbers that a network predicts in their place.

A box is (top, left, bottom, right), the last axis of an array, in any unit; bottom is above top.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

Boxes = Float[Array, "*batch 4"]

SMALLEST = 1e-6  # Sides and areas are not smaller, so that nothing is divided by 0.


def encode(boxes: Boxes) -> Boxes:
    """Returns what a network predicts: (center down, center right, ln height, ln width).

    Args:
        boxes: boxes with an area.

    Returns:
        The codes; `decode` turns them back.
    """
    top, left, bottom, right = jnp.moveaxis(boxes, -1, 0)
    height, width = (jnp.maximum(side, SMALLEST) for side in (bottom - top, right - left))
    parts = (top + bottom) / 2.0, (left + right) / 2.0, jnp.log(height), jnp.log(width)
    return jnp.stack(parts, axis=-1)


def decode(codes: Boxes) -> Boxes:
    """Returns the boxes of codes.

    Args:
        codes: what `encode` returns.

    Returns:
        The boxes.
    """
    down, across, log_height, log_width = jnp.moveaxis(codes, -1, 0)
    height, width = jnp.exp(log_height) / 2.0, jnp.exp(log_width) / 2.0
    edges = down - height, across - width, down + height, across + width
    return jnp.stack(edges, axis=-1)


def area(boxes: Boxes) -> Float[Array, "*batch"]:
    """Returns the areas of boxes; 0 for those whose bottom or right edge is not beyond the other.

    Args:
        boxes: the boxes.

    Returns:
        Height times width.
    """
    sides = jnp.maximum(boxes[..., 2:] - boxes[..., :2], 0.0)
    return sides[..., 0] * sides[..., 1]


def intersection_over_union(first: Boxes, second: Boxes) -> Float[Array, "*batch"]:
    """Returns the shared area of each pair of boxes, over the area that they cover together.

    Args:
        first: boxes.
        second: as many boxes.

    Returns:
        1 for equal boxes, 0 for boxes that do not overlap.
    """
    shared, together, _ = _areas(first, second)
    return shared / together


def generalized_iou(first: Boxes, second: Boxes) -> Float[Array, "*batch"]:
    """Returns the overlap of each pair of boxes, below 0 for boxes that are apart.

    GIoU = IoU - (|C| - |A or B|) / |C|, where C is the smallest box around both

    Args:
        first: boxes.
        second: as many boxes.

    Returns:
        1 for equal boxes, nearly -1 for small boxes far apart; its gradient is not 0 for boxes that
        do not overlap. Rezatofighi et al., 2019.
    """
    shared, together, hull = _areas(first, second)
    return shared / together - (hull - together) / hull


def _areas(first: Boxes, second: Boxes) -> tuple[Array, Array, Array]:
    """Returns the areas of the intersection, of the union and of the smallest box around both."""
    low = jnp.maximum(first[..., :2], second[..., :2])
    high = jnp.minimum(first[..., 2:], second[..., 2:])
    shared = area(jnp.concatenate([low, high], axis=-1))
    together = jnp.maximum(area(first) + area(second) - shared, SMALLEST)
    outer_low = jnp.minimum(first[..., :2], second[..., :2])
    outer_high = jnp.maximum(first[..., 2:], second[..., 2:])
    hull = area(jnp.concatenate([outer_low, outer_high], axis=-1))
    return shared, together, jnp.maximum(hull, SMALLEST)
