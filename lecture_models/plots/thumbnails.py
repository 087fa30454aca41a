"""Arranges small images at points of the plane."""

import numpy as np
from jaxtyping import Array, Float, Float32, Int
from PIL import ImageColor

from lecture_models.plots.class_colors import class_color

BACKGROUND = 1.0  # White.


def thumbnail_scatter(
    points: Float[Array | np.ndarray, "point 2"],
    images: Float[Array | np.ndarray, "point small small 3"],
    side: int,
    labels: Int[Array | np.ndarray, " point"] | None = None,
) -> Float32[np.ndarray, "height width 3"]:
    """Draws each image centered at its point, with a frame in the color of its class.

    Both axes have the same scale. Images are drawn in a shuffled order, so that no class hides the
    others. A frame covers the outermost pixels: a twentieth of the image's side, at least one.

    Args:
        points: coordinates (horizontal, vertical); the vertical one points up.
        images: square RGB images in [-1, 1].
        side: length of the result's longer side in pixels.
        labels: class of each image, from 0; None draws no frames.

    Returns:
        RGB image in [-1, 1] on white.

    Raises:
        ValueError: there are no points, a point is not finite, or the images exceed `side`.
    """
    points, small = np.asarray(points, np.float64), np.array(images, np.float32)
    _check(points, small, side)
    if labels is not None:
        _add_frames(small, np.asarray(labels))
    thumbnail = small.shape[1]
    offsets = points - points.min(axis=0).reshape(1, 2)
    offsets *= (side - thumbnail) / max(float(offsets.max()), 1e-12)
    offsets = np.rint(offsets).astype(int)
    width, height = offsets.max(axis=0) + thumbnail
    canvas = np.full((height, width, 3), BACKGROUND, np.float32)
    for index in np.random.default_rng(0).permutation(len(points)):
        left, up = offsets[index]
        top = height - thumbnail - up
        canvas[top : top + thumbnail, left : left + thumbnail] = small[index]
    return canvas


def _check(points: np.ndarray, images: np.ndarray, side: int) -> None:
    if len(points) == 0:
        raise ValueError("there are no points at which to draw images; 1 or more are needed")
    if not np.isfinite(points).all():
        broken = int((~np.isfinite(points)).any(axis=1).sum())
        raise ValueError(f"points must be finite; {broken} of {len(points)} are not")
    if images.shape[1] > side:
        raise ValueError(
            f"the images have {images.shape[1]} pixels a side; the result has only {side}"
        )


def _add_frames(images: np.ndarray, labels: np.ndarray) -> None:
    width = max(1, images.shape[1] // 20)
    colors = np.array([ImageColor.getrgb(class_color(int(label))) for label in labels])
    border = (colors / 127.5 - 1.0).astype(np.float32).reshape(-1, 1, 1, 3)
    for edge in (slice(None, width), slice(-width, None)):
        images[:, edge] = border
        images[:, :, edge] = border
