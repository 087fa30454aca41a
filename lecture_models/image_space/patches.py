"""Measures how far the patches of an image are from the nearest patches of another."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Float32, Float64

from lecture_models.metrics.neighbors import nearest_neighbors

Image = Float[Array | np.ndarray, "height width channel"]
Source = Float[Array | np.ndarray, "source_height source_width channel"]


class PatchDistances(NamedTuple):
    """Holds the distance of each patch of an image from the nearest patch of a source.

    Attributes:
        distances: root mean squares over the values of a patch; 0 for an exact copy, at most 2 for
            images in [-1, 1].
    """

    distances: Float64[np.ndarray, " patch"]

    @property
    def mean(self) -> float:
        """Returns the mean distance; higher means that less is copied."""
        return float(self.distances.mean())


def patches(image: Image, side: int, stride: int = 1) -> Float32[np.ndarray, "patch values"]:
    """Returns the square patches of an image, row by row.

    Args:
        image: the image, (height, width, channel).
        side: side of a patch in pixels.
        stride: distance in pixels between the corners of neighboring patches. The last row and the
            last column of patches end at the image's edge, perhaps at a smaller distance.

    Returns:
        The values of each patch, (patch, side * side * channel).

    Raises:
        ValueError: if `side` or `stride` is below 1, or the image is smaller than a patch.
    """
    height, width, channels = image.shape
    if min(side, stride) < 1 or side > min(height, width):
        raise ValueError(
            f"patches have side {side} and stride {stride}, on an image of {height}x{width}: both "
            "must be at least 1, and the side at most that of the image"
        )
    pixels = np.asarray(image, np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (side, side), (0, 1))
    rows, columns = (_starts(length - side, stride) for length in (height, width))
    kept = windows[np.ix_(rows, columns)].transpose(0, 1, 3, 4, 2)
    return kept.reshape(-1, side * side * channels)


def _starts(last: int, stride: int) -> list[int]:
    """Returns every `stride`-th number from 0 to `last`, and `last` itself."""
    return sorted({*range(0, last + 1, stride), last})


def nearest_patch_distances(image: Image, source: Source, side: int) -> PatchDistances:
    """Returns how far the patches of an image are from the nearest patches of a source.

    Patches of the image overlap by half; those of the source lie at every position.

    Args:
        image: the image, (height, width, channel).
        source: the image that may have been copied, of any size.
        side: side of a patch in pixels.

    Returns:
        The distance of each patch of the image.

    Raises:
        ValueError: if `side` is below 1, or an image is smaller than a patch.
    """
    queries = patches(image, side, max(1, side // 2))
    nearest = nearest_neighbors(queries, patches(source, side))
    return PatchDistances(nearest.distances / np.sqrt(queries.shape[1]))
