"""Grows a texture by copying each pixel from where the source has the most similar neighborhood.

Efros and Leung, 1999, Texture synthesis by non-parametric sampling.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Bool, Float, Float32, Int

Source = Float[Array | np.ndarray, "source_height source_width channel"]

_SEED_SIDE = 3  # Side in pixels of the patch of the source that the texture grows from.
# Distance in pixels between those that are filled at once: none is beside another of its group.
_SPACING = 3


class GrownTexture(NamedTuple):
    """Holds a texture, and where each of its pixels was copied from.

    Attributes:
        image: the texture, (height, width, channel), in the range of the source.
        origin: row and column of each pixel in the source, (height, width, 2).
    """

    image: Float32[np.ndarray, "height width channel"]
    origin: Int[np.ndarray, "height width 2"]


def grow_texture(
    source: Source,
    size: tuple[int, int],
    neighborhood: int,
    seed: int,
    tolerance: float = 0.1,
) -> GrownTexture:
    """Grows a texture from a patch of 3x3 source pixels in its middle, ring by ring.

    An empty pixel with filled neighbors becomes a copy of the center of one of the source's
    windows. The window is drawn uniformly from those whose distance to the filled part of the
    pixel's neighborhood is at most 1 + `tolerance` times the smallest such distance. The distance
    is the mean squared difference over filled pixels, weighted by a Gaussian of standard deviation
    neighborhood / 6.4. Efros and Leung, 1999, section 2.

    Args:
        source: the image to imitate, (height, width, channel).
        size: height and width of the texture in pixels, each at least 3.
        neighborhood: side of the windows in pixels; odd, at least 3, at most the source's shorter
            side.
        seed: seed of all random choices.
        tolerance: how much larger, relative to the smallest, the distance of a window may be.

    Returns:
        The texture and the origin of its pixels.

    Raises:
        ValueError: if `neighborhood` or `size` is outside of its range.
    """
    _require(source, size, neighborhood)
    random = np.random.default_rng(seed)
    pixels = np.asarray(source, np.float32)
    windows = _SourceWindows(pixels, neighborhood)
    margin = neighborhood // 2
    height, width = size
    origin = np.full((height + 2 * margin, width + 2 * margin, 2), -1, np.int64)
    _plant(origin, pixels.shape[:2], size, margin, random)
    inside = np.zeros(origin.shape[:2], bool)
    inside[margin : margin + height, margin : margin + width] = True
    origin[~inside] = -1
    while (empty := inside & (origin[..., 0] < 0)).any():
        for places in _ring(empty, origin[..., 0] >= 0):
            origin[places[:, 0], places[:, 1]] = windows.draw(origin, places, tolerance, random)
    origin = origin[margin : margin + height, margin : margin + width]
    return GrownTexture(pixels[origin[..., 0], origin[..., 1]], origin)


def _plant(origin, source: tuple[int, int], size: tuple[int, int], margin: int, random) -> None:
    row, column = (int(random.integers(side - _SEED_SIDE + 1)) for side in source)
    top, left = (margin + max(0, (side - _SEED_SIDE) // 2) for side in size)
    for down in range(_SEED_SIDE):
        for along in range(_SEED_SIDE):
            origin[top + down, left + along] = (row + down, column + along)


def _ring(
    empty: Bool[np.ndarray, "row column"], filled: Bool[np.ndarray, "row column"]
) -> list[Int[np.ndarray, "place 2"]]:
    """Returns the empty pixels beside filled ones, in groups that are filled one after another."""
    near = np.zeros_like(filled)
    for down in (-1, 0, 1):
        for along in (-1, 0, 1):
            near |= np.roll(filled, (down, along), (0, 1))
    places = np.argwhere(empty & near)
    group = places % _SPACING @ np.array([_SPACING, 1])
    return [places[group == number] for number in np.unique(group)]


class _SourceWindows:
    """Holds all windows of a source so that their distances are two matrix products."""

    def __init__(self, source: Float32[np.ndarray, "row column channel"], side: int):
        windows = np.lib.stride_tricks.sliding_window_view(source, (side, side), (0, 1))
        self._rows, self._columns = windows.shape[:2]
        flat = windows.transpose(0, 1, 3, 4, 2).reshape(self._rows * self._columns, side**2, -1)
        self._values = flat.reshape(len(flat), -1).T.copy()
        self._energies = np.square(flat).sum(2).T.copy()
        self._source, self._side = source, side
        offsets = np.arange(side) - side // 2
        squares = offsets[:, None] ** 2 + offsets[None, :] ** 2
        gaussian = np.exp(-0.5 * squares / (side / 6.4) ** 2)
        self._gaussian = gaussian.astype(np.float32).ravel()

    def draw(self, origin, places, tolerance: float, random) -> Int[np.ndarray, "place 2"]:
        """Draws the row and column of the source that each pixel at `places` is copied from."""
        reach = np.arange(self._side) - self._side // 2
        rows = places[:, 0, None, None] + reach[None, :, None]
        columns = places[:, 1, None, None] + reach[None, None, :]
        seen = origin[rows, columns].reshape(len(places), -1, 2)
        weights = np.where(seen[..., 0] >= 0, self._gaussian[None, :], np.float32(0.0))
        values = self._source[seen[..., 0], seen[..., 1]]
        weighted = (values * weights[..., None]).reshape(len(places), -1)
        known = (np.square(values).sum(2) * weights).sum(1)
        distances = weights @ self._energies - 2.0 * weighted @ self._values + known[:, None]
        distances = np.maximum(distances, 0.0) / weights.sum(1)[:, None]
        # Equal windows differ by rounding, by less than the constant.
        bound = distances.min(1) * (1.0 + tolerance) + 1e-6
        chosen = [random.choice(np.flatnonzero(row)) for row in distances <= bound[:, None]]
        return np.stack(np.unravel_index(chosen, (self._rows, self._columns)), 1) + self._side // 2


def _require(source: Source, size: tuple[int, int], neighborhood: int) -> None:
    smallest = min(source.shape[:2])
    if neighborhood % 2 == 0 or not _SEED_SIDE <= neighborhood <= smallest:
        raise ValueError(
            f"the neighborhood is {neighborhood}; it must be odd, at least {_SEED_SIDE}, and at "
            f"most the source's shorter side, {smallest}"
        )
    if min(size) < _SEED_SIDE:
        raise ValueError(
            f"the size is {size[0]}x{size[1]}; each side must be at least {_SEED_SIDE}"
        )
