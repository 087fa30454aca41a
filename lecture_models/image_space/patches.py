"""Patches of an image, and how far they are from the nearest ones of another."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Float32, Float64

from lecture_models.metrics.neighbors import nearest_neighbors

Picture = Float[Array | np.ndarray, "height width channel"]
Source = Float[Array | np.ndarray, "source_height source_width channel"]


class Copying(NamedTuple):
    """For each patch of a picture, how far its nearest patch of the source is.

    Distances are root mean squares over a patch's values: 0 for a copy, at most 2.
    """

    distances: Float64[np.ndarray, " patch"]

    @property
    def mean(self) -> float:
        return float(self.distances.mean())


def patches(image: Picture, side: int, stride: int = 1) -> Float32[np.ndarray, "patch values"]:
    """Every square of `side` pixels that lies within, `stride` apart, row by row.

    Raises ValueError where the image is smaller, or the side or stride below 1.
    """
    height, width, channels = image.shape
    if min(side, stride) < 1 or side > min(height, width):
        raise ValueError(
            f"patches of side {side}, stride {stride}, of an image of {height}x{width}: both must "
            "be at least 1, the side at most that of the image"
        )
    pixels = np.asarray(image, np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (side, side), (0, 1))
    kept = windows[::stride, ::stride].transpose(0, 1, 3, 4, 2)
    return kept.reshape(-1, side * side * channels)


def copying(image: Picture, source: Source, side: int) -> Copying:
    """Half-overlapping patches of the image against every patch of the source."""
    queries = patches(image, side, max(1, side // 2))
    found = nearest_neighbors(queries, patches(source, side))
    return Copying(found.distances / np.sqrt(queries.shape[1]))
