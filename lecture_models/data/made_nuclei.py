"""Makes pictures of bright ellipses that touch each other, with a map of instances.

They stand in where no real pictures of nuclei are; the truth is exact.
"""

import numpy as np

from lecture_models.data.dataset import Dataset, Provenance
from lecture_models.data.drawn_splits import draw_splits
from lecture_models.data.instance_maps import instance_split

SIDE = 64
MOST = 12  # Ellipses of a picture.
_SIZES = (160, 16, 24)  # Of the three splits.


def make(seed: int = 0) -> Dataset:
    """Returns 200 pictures of 64x64 pixels, the same for the same seed."""
    splits = draw_splits(seed, _SIZES, _draw, instance_split)
    note = f"{sum(_SIZES)} made pictures of ellipses that touch"
    return Dataset(*splits, (), Provenance("made_nuclei", "made by a rule", (), note))


def _draw(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns a picture and its instances; each second ellipse stands beside the one before."""
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float64)
    light = np.full((SIDE, SIDE), generator.uniform(5.0, 25.0))
    masks, center = np.zeros((SIDE, SIDE), np.uint8), np.zeros(2)
    for number in range(generator.integers(4, MOST + 1)):
        radii = generator.uniform(4.0, 8.0, 2)
        turn = generator.uniform(0.0, np.pi)
        angle = generator.uniform(0.0, 2.0 * np.pi)
        beside = center + 1.7 * radii.mean() * np.array([np.sin(angle), np.cos(angle)])
        center = beside if number % 2 else generator.uniform(6.0, SIDE - 6.0, 2)
        down, across = rows - center[0], columns - center[1]
        along = (down * np.cos(turn) + across * np.sin(turn)) / radii[0]
        off = (across * np.cos(turn) - down * np.sin(turn)) / radii[1]
        inside = (along**2 + off**2 < 1.0) & (masks == 0)
        if inside.sum() < 30:
            continue  # Hardly anything of it is seen.
        masks[inside] = masks.max() + 1
        light[inside] = generator.uniform(70.0, 200.0)
    light = light + generator.normal(0.0, 6.0, light.shape)
    return np.clip(light, 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2), masks
