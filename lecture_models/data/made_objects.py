"""Makes pictures of one shape on a noisy background, with its class, its box and its mask.

They stand in where no real photos with boxes are; the truth is exact.
"""

import itertools

import numpy as np

from lecture_models.data.boxed_pictures import boxed_split
from lecture_models.data.dataset import Dataset, Provenance

SIDE = 64
CLASSES = ("circle", "square", "triangle")
_SIZES = (600, 60, 100)  # Of the three splits.


def make(seed: int = 0) -> Dataset:
    """Returns 760 pictures of 64x64 pixels, the same for the same seed."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(len(CLASSES), size=sum(_SIZES))
    drawn = [_draw(generator, int(label)) for label in labels]
    pixels, boxes, masks = (np.stack(arrays) for arrays in zip(*drawn, strict=True))
    ends = np.cumsum((0, *_SIZES))
    splits = [
        boxed_split(pixels[begin:end], boxes[begin:end], masks[begin:end], labels[begin:end])
        for begin, end in itertools.pairwise(ends)
    ]
    note = f"{len(labels)} made pictures of one shape"
    return Dataset(*splits, CLASSES, Provenance("made_objects", "made by a rule", (), note))


def _draw(generator: np.random.Generator, label: int) -> tuple[np.ndarray, ...]:
    """Returns a picture, and the box and the mask of its shape."""
    height, width = generator.uniform(14.0, 44.0, 2)
    top = generator.uniform(0.0, SIDE - height)
    left = generator.uniform(0.0, SIDE - width)
    down = (np.arange(SIDE)[:, None] + 0.5 - top) / height
    across = (np.arange(SIDE)[None] + 0.5 - left) / width
    within = (abs(down - 0.5) < 0.5) & (abs(across - 0.5) < 0.5)
    inside = {
        "circle": (down - 0.5) ** 2 + (across - 0.5) ** 2 < 0.25,
        "square": within,
        "triangle": within & (2.0 * abs(across - 0.5) < down),
    }[CLASSES[label]]
    background, color = generator.integers(0, 110, 3), generator.integers(140, 256, 3)
    noise = generator.normal(0.0, 18.0, (SIDE, SIDE, 3))
    canvas = np.where(inside[..., None], color[None, None], background[None, None]) + noise
    box = np.array([top, left, top + height, left + width], np.float32) / SIDE
    return np.clip(canvas, 0, 255).astype(np.uint8), box, inside.astype(np.uint8)
