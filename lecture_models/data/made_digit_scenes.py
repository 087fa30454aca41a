"""Makes scenes of handwritten digits of several sizes, with their classes, boxes and masks.

They stand in where no real photos with many boxes are; the truth is exact. The digits are those
that scikit-learn ships; no digit of a test scene is in a training scene.
"""

import numpy as np
from PIL import Image

from lecture_models.data import digits
from lecture_models.data.dataset import Dataset, Provenance, Split
from lecture_models.data.many_boxes import many_boxes_split
from lecture_models.data.pixels import uint8_from_images

SIDE = 96
MOST = 5  # Digits of a scene.
_SIZES = (240, 40, 60)  # Of the three splits.
_INK = 0.3  # A pixel of a digit belongs to it from this brightness on.


def make(seed: int = 0) -> Dataset:
    """Returns 340 scenes of 96x96 pixels, the same for the same seed."""
    generator = np.random.default_rng(seed)
    source = digits.read()
    splits = []
    for split, size in zip((source.train, source.validation, source.test), _SIZES, strict=True):
        scenes = [_draw(generator, split) for _ in range(size)]
        pixels, boxes, labels = zip(*scenes, strict=True)
        splits.append(many_boxes_split(np.stack(pixels), list(boxes), list(labels)))
    note = f"{sum(_SIZES)} made scenes of 1 to {MOST} digits"
    provenance = Provenance("made_digit_scenes", "made by a rule", (), note)
    return Dataset(*splits, source.classes, provenance)


def _draw(
    generator: np.random.Generator, split: Split
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns a picture, and the boxes and classes of its digits, which hardly overlap."""
    canvas = np.broadcast_to(generator.uniform(20.0, 110.0, (1, 1, 3)), (SIDE, SIDE, 3)).copy()
    taken, boxes, labels = np.zeros((SIDE, SIDE), bool), [], []
    for _ in range(generator.integers(1, MOST + 1)):
        example = int(generator.integers(len(split)))
        side = int(generator.integers(18, 44))
        image = uint8_from_images(split.images[example, ..., 0])
        large = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
        ink = np.asarray(large, np.float64) / 255.0
        top, left = generator.integers(0, SIDE - side, 2)
        place = np.s_[top : top + side, left : left + side]
        inside = ink > _INK
        if (taken[place] & inside).any():
            continue  # It would cover another digit.
        color = generator.uniform(150.0, 255.0, (1, 1, 3))
        canvas[place] = canvas[place] * (1.0 - ink[..., None]) + color * ink[..., None]
        rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        edges = (top + rows[0], left + columns[0], top + rows[-1] + 1, left + columns[-1] + 1)
        taken[place] |= inside
        boxes.append(np.array(edges, np.float32) / SIDE)
        labels.append(int(split.labels[example]))
    canvas += generator.normal(0.0, 10.0, canvas.shape)
    return np.clip(canvas, 0, 255).astype(np.uint8), np.stack(boxes), np.array(labels)
