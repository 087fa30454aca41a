"""Texture by nearest neighbor: every pixel is copied from the place that looks most alike.

Efros and Leung, 1999, Texture synthesis by non-parametric sampling.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Bool, Float, Float32, Int

Source = Float[Array | np.ndarray, "source_height source_width channel"]

_SEED = 3  # The side of the patch of the source that it grows from.
_SPACING = 3  # Pixels filled at once are so far apart that each sees all others of its ring.


class Grown(NamedTuple):
    """A texture, and the row and column of the source that each of its pixels comes from."""

    image: Float32[np.ndarray, "height width channel"]
    origin: Int[np.ndarray, "height width 2"]


def grow_texture(
    source: Source,
    size: tuple[int, int],
    neighborhood: int,
    seed: int,
    tolerance: float = 0.1,
) -> Grown:
    """Grows a texture of `size` (height, width) from a patch of 3x3 in its middle, ring by ring.

    An empty pixel with filled neighbors gets the center of one of the source's windows of
    `neighborhood` pixels, drawn evenly from those whose distance to its filled neighbors is at
    most 1 + `tolerance` times the least. Distances are squared, and weighted by a Gaussian of
    standard deviation neighborhood / 6.4.

    Raises ValueError for a neighborhood that is even, below 3 or larger than the source.
    """
    _require(source, size, neighborhood)
    random = np.random.default_rng(seed)
    pixels = np.asarray(source, np.float32)
    library = _Library(pixels, neighborhood)
    margin = neighborhood // 2
    height, width = size
    origin = np.full((height + 2 * margin, width + 2 * margin, 2), -1, np.int64)
    _plant(origin, pixels.shape[:2], size, margin, random)
    inside = np.zeros(origin.shape[:2], bool)
    inside[margin : margin + height, margin : margin + width] = True
    origin[~inside] = -1
    while (empty := inside & (origin[..., 0] < 0)).any():
        for places in _ring(empty, origin[..., 0] >= 0):
            origin[places[:, 0], places[:, 1]] = library.draw(origin, places, tolerance, random)
    origin = origin[margin : margin + height, margin : margin + width]
    return Grown(pixels[origin[..., 0], origin[..., 1]], origin)


def _plant(origin, source: tuple[int, int], size: tuple[int, int], margin: int, random) -> None:
    row, column = (int(random.integers(side - _SEED + 1)) for side in source)
    top, left = (margin + max(0, (side - _SEED) // 2) for side in size)
    for down in range(_SEED):
        for along in range(_SEED):
            origin[top + down, left + along] = (row + down, column + along)


def _ring(
    empty: Bool[np.ndarray, "row column"], filled: Bool[np.ndarray, "row column"]
) -> list[Int[np.ndarray, "place 2"]]:
    """The empty pixels beside filled ones, in groups that may be filled at once."""
    near = np.zeros_like(filled)
    for down in (-1, 0, 1):
        for along in (-1, 0, 1):
            near |= np.roll(filled, (down, along), (0, 1))
    places = np.argwhere(empty & near)
    group = places % _SPACING @ np.array([_SPACING, 1])
    return [places[group == each] for each in np.unique(group)]


class _Library:
    """Every window of a source, laid out so that all distances are two matrix products."""

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
        """Where in the source the pixels at `places` are copied from."""
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
        # Rounding makes copies of one another differ: below this two windows are the same.
        bound = distances.min(1) * (1.0 + tolerance) + 1e-6
        chosen = [random.choice(np.flatnonzero(row)) for row in distances <= bound[:, None]]
        return np.stack(np.unravel_index(chosen, (self._rows, self._columns)), 1) + self._side // 2


def _require(source: Source, size: tuple[int, int], neighborhood: int) -> None:
    smallest = min(source.shape[:2])
    if neighborhood % 2 == 0 or not _SEED <= neighborhood <= smallest:
        raise ValueError(
            f"the neighborhood is {neighborhood}; it must be odd, at least {_SEED}, and at most "
            f"the source's shorter side, {smallest}"
        )
    if min(size) < _SEED:
        raise ValueError(f"the size is {size[0]}x{size[1]}; each must be at least {_SEED}")
