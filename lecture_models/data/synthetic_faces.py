"""Draws faces, so that experiments about faces run where no data set is: 20 people, ten pictures.

A person has a shape of head, hair, brows, eyes, nose and mouth; a picture adds a light, a mood,
glasses or not, a small shift and noise. They are drawings, not photos: numbers computed on them say
that a program works, nothing about faces.
"""

import functools
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from lecture_models.data.dataset import Dataset, Provenance, Split

PEOPLE, PICTURES = 20, 10
HEIGHT, WIDTH = 56, 46  # Half of an ORL face.
CONDITIONS = ("frontlight", "leftlight", "rightlight", "happy", "glasses")
PATCH_SIDE, PATCHES = 24, 200  # Faces, and as many other patches.
_BLUR = 0.03  # Width of an edge, in units of half the face's height.
_NOTE = "drawn by a program, not photos"

Grid = np.ndarray  # Values at the rows and columns of a picture.


class Person(NamedTuple):
    """Describes a face; lengths are in units of half the picture's height."""

    width: float
    hairline: float
    skin: float
    hair: float
    eye_distance: float
    eye_size: float
    brow: float
    nose: float
    mouth: float


@functools.cache
def read() -> Dataset:
    """Returns the faces: per person six for training, two for validation, two for test.

    Beside images and labels there is `conditions`, whose names are in the vocabularies.
    """
    generator = np.random.default_rng(0)
    people = [_draw_person(generator) for _ in range(PEOPLE)]
    labels, numbers = np.divmod(np.arange(PEOPLE * PICTURES, dtype=np.int32), np.int32(PICTURES))
    conditions = numbers % np.int32(len(CONDITIONS))
    images = [
        draw_face(people[label], CONDITIONS[condition], generator, HEIGHT, WIDTH)
        for label, condition in zip(labels, conditions, strict=True)
    ]
    everything = Split(
        {"images": np.stack(images)[..., None], "labels": labels, "conditions": conditions}
    )
    return Dataset(
        everything.select(numbers < 6),
        everything.select((numbers >= 6) & (numbers < 8)),
        everything.select(numbers >= 8),
        tuple(f"person {person + 1}" for person in range(PEOPLE)),
        Provenance("synthetic_faces", "drawn just now", (), _NOTE),
        {"conditions": CONDITIONS},
    )


@functools.cache
def read_patches() -> Dataset:
    """Returns patches of 24 x 24 pixels: 200 faces and 200 that are not, in turn.

    What is not a face is a blurred edge, a bar, a smooth texture or a disk.
    """
    generator = np.random.default_rng(1)
    images = []
    for _ in range(PATCHES):
        condition = CONDITIONS[generator.integers(len(CONDITIONS))]
        person = _draw_person(generator)
        images.append(draw_face(person, condition, generator, PATCH_SIDE, PATCH_SIDE))
        images.append(_draw_other(generator))
    labels = (1 - np.arange(2 * PATCHES) % 2).astype(np.int32)
    everything = Split.labeled_images(np.stack(images)[..., None], labels)
    first, second = PATCHES * 2 * 6 // 10, PATCHES * 2 * 8 // 10
    return Dataset(
        everything.select(slice(first)),
        everything.select(slice(first, second)),
        everything.select(slice(second, None)),
        ("not a face", "face"),
        Provenance("synthetic_patches", "drawn just now", (), _NOTE),
    )


def draw_face(
    person: Person, condition: str, generator: np.random.Generator, height: int, width: int
) -> Float32[np.ndarray, "{height} {width}"]:
    """Draws one picture of a person.

    Args:
        person: the face.
        condition: one of `CONDITIONS`.
        generator: draws the shift, the strength of the light and the noise.
        height: height in pixels.
        width: width in pixels.

    Returns:
        Gray levels in [-1, 1].
    """
    shift = generator.normal(0.0, 0.02, 2)
    down, right = np.meshgrid(
        np.linspace(-1.0, 1.0, height) - shift[0],
        np.linspace(-1.0, 1.0, width) * (width / height) - shift[1],
        indexing="ij",
    )
    picture = np.full((height, width), -0.8)
    picture = _over(picture, person.hair, _ellipse(down + 0.15, right, 0.85, person.width + 0.1))
    head = _ellipse(down, right, 0.8, person.width)
    face = head * _above(down - person.hairline + 0.35 * right**2)
    picture = _over(picture, person.skin, face)
    for side in (-1.0, 1.0):
        across = right - side * person.eye_distance
        picture = _over(picture, 0.75, _ellipse(down + 0.1, across, 0.06, person.eye_size))
        picture = _over(picture, -0.9, _ellipse(down + 0.1, across, 0.06, 0.05))
        picture = _over(
            picture, person.hair, _ellipse(down + 0.27, across, person.brow, person.eye_size)
        )
        if condition == "glasses":
            lens = _ellipse(down + 0.1, across, 0.17, 0.17)
            picture = _over(picture, -0.9, lens - _ellipse(down + 0.1, across, 0.13, 0.13))
    nose = _ellipse(down - 0.08, right, person.nose, 0.05)
    picture = _over(picture, person.skin - 0.25, nose)
    curve = 0.9 if condition == "happy" else 0.1
    mouth = _ellipse(down - 0.45 + curve * right**2, right, 0.05, person.mouth)
    picture = _over(picture, -0.6, mouth)
    lights = {"leftlight": -1.0, "rightlight": 1.0}
    slope = lights.get(condition, 0.0) * generator.uniform(0.6, 1.0)
    shade = np.clip(1.0 + slope * right / person.width, 0.25, 1.5)
    picture = (picture + 1.0) * shade - 1.0 + generator.normal(0.0, 0.03, picture.shape)
    return np.clip(picture, -1.0, 1.0).astype(np.float32)


def _draw_person(generator: np.random.Generator) -> Person:
    low = Person(0.5, -0.55, 0.1, -0.9, 0.2, 0.09, 0.025, 0.14, 0.14)
    high = Person(0.68, -0.3, 0.7, -0.2, 0.3, 0.15, 0.06, 0.24, 0.28)
    return Person(*generator.uniform(low, high))


def _draw_other(generator: np.random.Generator) -> Float32[np.ndarray, "24 24"]:
    """Draws a patch that is not a face."""
    steps = np.linspace(-1.0, 1.0, PATCH_SIDE)
    down, right = np.meshgrid(steps, steps, indexing="ij")
    angle, place = generator.uniform(0.0, np.pi), generator.uniform(-0.6, 0.6)
    along = np.cos(angle) * down + np.sin(angle) * right
    kinds = (
        lambda: np.tanh((along - place) / generator.uniform(0.05, 0.6)),
        lambda: 2.0 * np.exp(-(((along - place) / generator.uniform(0.1, 0.4)) ** 2)) - 1.0,
        lambda: np.sin(along * generator.uniform(2.0, 12.0) + 6.0 * place),
        lambda: 2.0 * _ellipse(down - place, right - angle + 1.5, 0.5, 0.5) - 1.0,
    )
    picture = kinds[generator.integers(len(kinds))]() * generator.uniform(0.2, 0.9)
    return np.clip(picture + generator.normal(0.0, 0.03, picture.shape), -1.0, 1.0).astype(
        np.float32
    )


def _ellipse(down: Grid, right: Grid, height: float, width: float) -> Grid:
    """Returns 1 inside an ellipse of the given half axes and 0 outside, with a soft edge."""
    return _above(1.0 - np.hypot(down / height, right / width), _BLUR / min(height, width))


def _above(values: Grid, blur: float = _BLUR) -> Grid:
    return 1.0 / (1.0 + np.exp(-np.clip(values / blur, -50.0, 50.0)))


def _over(picture: Grid, level: float, opacity: Grid) -> Grid:
    return picture + opacity * (level - picture)
