"""Makes pictures of two colored shapes, with five sentences about each.

They stand in where no real photos with captions are.
"""

import itertools

import numpy as np

from lecture_models.data.captioned_pictures import CAPTIONS, captioned_split
from lecture_models.data.dataset import Dataset, Provenance

SIDE = 64
COLORS = {
    "red": (220, 50, 47),
    "green": (60, 160, 60),
    "blue": (50, 90, 220),
    "yellow": (230, 200, 40),
}
SHAPES = ("circle", "square", "triangle")
_THINGS = tuple(itertools.product(COLORS, SHAPES))
_SIZES = (400, 50, 50)  # Of the three splits.
_SENTENCES = (
    "a {upper} above a {lower} .",
    "a {lower} below a {upper} .",
    "a {upper} and a {lower} .",
    "there is a {upper} over a {lower} .",
    "one {lower} under one {upper} .",
)


def make(seed: int = 0) -> Dataset:
    """Returns 500 pictures of 64x64 pixels, the same for the same seed."""
    generator = np.random.default_rng(seed)
    count = sum(_SIZES)
    chosen = generator.integers(len(_THINGS), size=(count, 2)).tolist()
    pixels = np.stack([_draw(generator, *pair) for pair in chosen])
    captions = [_describe(*pair) for pair in chosen]
    ends = np.cumsum((0, *_SIZES))
    splits = [
        captioned_split(pixels[begin:end], captions[begin:end])
        for begin, end in itertools.pairwise(ends)
    ]
    note = f"{count} made pictures of two shapes"
    return Dataset(*splits, (), Provenance("made_scenes", "made by a rule", (), note))


def _describe(upper: int, lower: int) -> tuple[str, ...]:
    names = {"upper": " ".join(_THINGS[upper]), "lower": " ".join(_THINGS[lower])}
    sentences = tuple(sentence.format(**names) for sentence in _SENTENCES)
    return sentences[:CAPTIONS]


def _draw(generator: np.random.Generator, upper: int, lower: int) -> np.ndarray:
    """Returns one picture: a shape in the upper half and one in the lower half, on gray."""
    canvas = np.full((SIDE, SIDE, 3), generator.integers(90, 150), np.uint8)
    down, across = np.mgrid[:SIDE, :SIDE]
    for thing, middle in ((upper, SIDE / 4), (lower, 3 * SIDE / 4)):
        color, shape = _THINGS[thing]
        radius = generator.uniform(8.0, 13.0)
        y = down - middle - generator.uniform(-2.0, 2.0)
        x = across - generator.uniform(16.0, SIDE - 16.0)
        inside = {
            "circle": x**2 + y**2 < radius**2,
            "square": np.maximum(abs(x), abs(y)) < 0.85 * radius,
            "triangle": (y < radius) & (2 * abs(x) < radius + y),
        }[shape]
        canvas[inside] = COLORS[color]
    return canvas
