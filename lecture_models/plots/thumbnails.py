"""Small pictures set at points of the plane, as a picture to be logged like any other."""

import numpy as np
from jaxtyping import Array, Float, Float32, Int
from PIL import ImageColor

from lecture_models.plots.scatter import COLORS

BACKGROUND = 1.0  # White.


def thumbnail_scatter(
    points: Float[Array | np.ndarray, "point 2"],
    images: Float[Array | np.ndarray, "point small small 3"],
    side: int,
    labels: Int[Array | np.ndarray, " point"] | None = None,
) -> Float32[np.ndarray, "height width 3"]:
    """Each image centered at its point, framed in its class's color where there are labels.

    The result's longer side is `side`; both axes have one scale, and the second coordinate points
    up. Thumbnails are drawn in a shuffled order, so that no class hides the others. Images and the
    result are in [-1, 1]; a frame takes the outermost pixels, a twentieth of a side and at least
    one.

    Raises ValueError for no points, points that are not finite, or thumbnails larger than `side`.
    """
    points, small = np.asarray(points, np.float64), np.array(images, np.float32)
    _refuse(points, small, side)
    if labels is not None:
        _frame(small, np.asarray(labels))
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


def _refuse(points: np.ndarray, images: np.ndarray, side: int) -> None:
    if len(points) == 0:
        raise ValueError("there are no points to set thumbnails at")
    if not np.isfinite(points).all():
        raise ValueError("points must be finite")
    if images.shape[1] > side:
        raise ValueError(f"thumbnails of {images.shape[1]} pixels do not fit into {side}")


def _frame(images: np.ndarray, labels: np.ndarray) -> None:
    width = max(1, images.shape[1] // 20)
    colors = np.array([ImageColor.getrgb(COLORS[label % len(COLORS)]) for label in labels])
    border = (colors / 127.5 - 1.0).astype(np.float32).reshape(-1, 1, 1, 3)
    for edge in (slice(None, width), slice(-width, None)):
        images[:, edge] = border
        images[:, :, edge] = border
