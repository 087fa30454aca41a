"""Makes the toy pictures of the lecture's hierarchy of features: strokes, parts, objects.

A stroke is a short line in one of four directions. A part is two strokes; an object is one part
over another. Two objects have the same parts, and several parts the same strokes, so that a list of
what is somewhere in the picture does not name its object.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32

from lecture_models.data.dataset import Dataset, Provenance, Split

SIDE = 32
STROKES = ("-", "|", "/", "\\")
_ANGLES = (0.0, 90.0, -45.0, 45.0)  # Degrees from the horizontal, downward, of each stroke.
_REACH = 3.5  # Distance of a stroke from the middle of its part, in pixels, where it is not 0.


class _Place(NamedTuple):
    """Describes a stroke of a part: its index, and its middle relative to the part's, in pixels."""

    stroke: int
    down: float
    across: float


_PARTS = {
    "+": (_Place(0, 0.0, 0.0), _Place(1, 0.0, 0.0)),
    "L": (_Place(1, 0.0, -_REACH), _Place(0, _REACH, 0.0)),
    "X": (_Place(2, 0.0, 0.0), _Place(3, 0.0, 0.0)),
    "V": (_Place(3, 0.0, -2.5), _Place(2, 0.0, 2.5)),
    "7": (_Place(0, -_REACH, 0.0), _Place(2, 0.0, 0.5)),
    "N": (_Place(1, 0.0, -_REACH), _Place(3, 0.0, 0.0)),
}
PARTS = tuple(_PARTS)
_PAIRS = (("+", "L"), ("X", "V"), ("7", "N"), ("7", "X"), ("N", "L"))
OBJECTS = tuple(pair for first, second in _PAIRS for pair in ((first, second), (second, first)))
CLASSES = tuple(f"{upper} over {lower}" for upper, lower in OBJECTS)
_SIZES = {"train": 4_000, "validation": 500, "test": 1_000}


def make(seed: int = 0) -> Dataset:
    """Returns 5,500 pictures of ten objects, the same for the same seed.

    Beside images and labels a split has `strokes` and `parts`: 1 where a picture has one somewhere,
    (example, 4) and (example, 6). Each picture also has a single stroke beside its object, so that
    the object does not tell which strokes there are.
    """
    splits = {
        name: _draw(np.random.default_rng((seed, index)), count)
        for index, (name, count) in enumerate(_SIZES.items())
    }
    provenance = Provenance("toy_objects", f"made here, seed {seed}", (), "made pictures")
    return Dataset(**splits, classes=CLASSES, provenance=provenance)


def _draw(generator: np.random.Generator, count: int) -> Split:
    labels = (generator.permutation(count) % len(OBJECTS)).astype(np.int32)
    strokes = np.zeros((count, len(STROKES)), np.int32)
    parts = np.zeros((count, len(PARTS)), np.int32)
    brightness = np.zeros((count, SIDE, SIDE), np.float32)
    for label, pair in enumerate(OBJECTS):
        rows = np.flatnonzero(labels == label)
        middle = generator.uniform(-2.5, 2.5, (len(rows), 2)) + SIDE / 2.0
        for down, name in zip((-6.0, 6.0), pair, strict=True):
            parts[rows, PARTS.index(name)] = 1
            shift = generator.uniform(-1.0, 1.0, (len(rows), 2)) + middle
            shift[:, 0] += down
            for place in _PARTS[name]:
                strokes[rows, place.stroke] = 1
                centers = shift + np.reshape(place[1:], (1, 2))
                kinds = np.full(len(rows), place.stroke)
                lines = _lines(generator, centers, kinds)
                brightness[rows] = np.maximum(brightness[rows], lines)
    kinds = generator.integers(0, len(STROKES), count)
    strokes[np.arange(count), kinds] = 1
    across = np.where(generator.random(count) < 0.5, 4.0, SIDE - 5.0)
    centers = np.stack([generator.uniform(5.0, SIDE - 6.0, count), across], 1)
    brightness = np.maximum(brightness, _lines(generator, centers, kinds))
    noise = generator.normal(0.0, 0.08, brightness.shape)
    images = np.clip(2.0 * brightness - 1.0 + noise, -1.0, 1.0).astype(np.float32)
    arrays = {"images": images[..., None], "labels": labels, "strokes": strokes, "parts": parts}
    return Split(arrays)


def _lines(
    generator: np.random.Generator, centers: np.ndarray, kinds: Int32[np.ndarray, " n"] | np.ndarray
) -> Float32[np.ndarray, "n side side"]:
    """Returns one line per picture, as brightness from 0 to 1, of slightly random slope."""
    slopes = generator.normal(0.0, 5.0, len(kinds))
    angles = np.deg2rad(np.take(_ANGLES, kinds) + slopes).astype(np.float32)
    half = generator.uniform(3.5, 4.5, len(kinds)).astype(np.float32)[:, None, None]
    centers = centers.astype(np.float32)
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    down = rows[None] - centers[:, 0, None, None]
    across = columns[None] - centers[:, 1, None, None]
    cosine, sine = np.cos(angles)[:, None, None], np.sin(angles)[:, None, None]
    along, off = across * cosine + down * sine, down * cosine - across * sine
    beyond = np.maximum(np.abs(along) - half, 0.0)
    return np.clip(1.5 - np.sqrt(beyond**2 + off**2), 0.0, 1.0)
