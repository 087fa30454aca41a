"""Makes films of a shape that moves in one of four directions, which no single frame tells.

The shape starts at a random place and leaves the picture on one side to come back on the other, so
that every frame of every direction has the same distribution.
"""

import itertools

import numpy as np
from jaxtyping import UInt8

from lecture_models.data.dataset import Dataset, Provenance
from lecture_models.data.labeled_films import LabeledFilm, film_dataset

DIRECTIONS = {"right": (0, 1), "left": (0, -1), "down": (1, 0), "up": (-1, 0)}
_GROUPS, _CLIPS, _FRAMES, _SIDE = 3, 24, 20, 64


def make(seed: int = 0) -> Dataset:
    """Returns 288 films of 20 frames of 64x64 pixels: 3 groups, 24 films a direction in each.

    Args:
        seed: from which shapes, places and speeds are drawn.

    Returns:
        The films as `film_dataset` has them; the groups are the people.
    """
    random = np.random.default_rng(seed)
    films = [
        LabeledFilm(name, f"group {group + 1}", move(random, step))
        for group, (name, step), _ in itertools.product(
            range(_GROUPS), DIRECTIONS.items(), range(_CLIPS)
        )
    ]
    return film_dataset(films, Provenance("moving_shapes", f"made here, seed {seed}", (), "made"))


def move(random: np.random.Generator, step: tuple[int, int]) -> UInt8[np.ndarray, "20 64 64"]:
    """Returns a film of one shape.

    Args:
        random: draws a disk, square or cross, its size, place and speed, and the noise.
        step: how many pixels the shape moves down and across per unit of speed.

    Returns:
        The frames; the background is dark.
    """
    down, across = np.mgrid[:_SIDE, :_SIDE] - _SIDE // 2
    radius = random.integers(7, 12)
    masks = (
        down**2 + across**2 <= radius**2,
        np.maximum(np.abs(down), np.abs(across)) <= radius,
        np.minimum(np.abs(down), np.abs(across)) <= radius // 3,
    )
    inside = np.maximum(np.abs(down), np.abs(across)) <= radius
    shape = np.where(masks[random.integers(3)] & inside, random.integers(150, 230), 30)
    start, speed = random.integers(0, _SIDE, 2), random.integers(2, 5)
    frames = [
        np.roll(shape, start + speed * time * np.array(step), axis=(0, 1))
        for time in range(_FRAMES)
    ]
    noisy = np.stack(frames) + random.normal(0.0, 6.0, (_FRAMES, _SIDE, _SIDE))
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
