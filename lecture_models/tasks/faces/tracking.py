"""Follows a face through a film by the minimum of the map of distances from face space."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32

from lecture_models.metrics.boxes import Box, center_distance, intersection_over_union
from lecture_models.tasks.faces.location import Finder, Found, find_face, paste
from lecture_models.tasks.faces.pictures import resized

_NOISE = 0.02  # Standard deviation of the film's noise; white is 1.
_WIDE, _NARROW = 0.75, 0.5  # Reach of the search around the expected place, in heights of a face.
_INERTIA = 3.0  # Score per pixel that a window loses one height away from the expected place.
_LEARNING = 2  # Frames after the first, until the velocity is known.

Picture = Float32[np.ndarray, "height width"]


class Film(NamedTuple):
    """Holds the frames of a film with a moving face, and where it is in each."""

    frames: Float32[np.ndarray, "frame height width"]
    boxes: list[Box]


class Track(NamedTuple):
    """Holds where a face was found in each frame.

    Attributes:
        found: the windows; the map of each is that of the searched part.
        errors: distances of the centers from the true ones, in pixels.
        lost: True where the window overlaps the true one by less than 0.3.
    """

    found: list[Found]
    errors: Float[np.ndarray, " frame"]
    lost: np.ndarray


def make_film(
    photo: Picture,
    faces: Float32[np.ndarray, "picture height width"],
    count: int,
    height: int,
    seed: int,
) -> Film:
    """Returns a film in which a face moves over a photo along a loop, in a changing light.

    Args:
        photo: the background.
        faces: pictures of one person, each shown for a part of the film.
        count: number of frames.
        height: height of the face in pixels.
        seed: of the noise.
    """
    generator = np.random.default_rng(seed)
    width = round(height * faces.shape[2] / faces.shape[1])
    small = [resized(face, height, width) for face in faces]
    frames, boxes = [], []
    for frame in range(count):
        turn = 2.0 * np.pi * frame / count
        top = round((photo.shape[0] - height) * (0.5 - 0.45 * np.cos(turn)))
        left = round((photo.shape[1] - width) * (0.5 + 0.45 * np.sin(2.0 * turn)))
        picture = paste(photo, small[frame * len(small) // count], top, left)
        light = 1.0 - 0.3 * np.sin(turn) ** 2
        noisy = light * picture + generator.normal(0.0, _NOISE, picture.shape)
        frames.append(noisy.clip(0.0, 1.0).astype(np.float32))
        boxes.append(Box(top, left, top + height, left + width))
    return Film(np.stack(frames), boxes)


def follow(film: Film, finder: Finder, height: int, first: Box) -> Track:
    """Returns where a face of known size is, frame after frame.

    The face is searched around the place that a constant velocity predicts, as a person who films
    points at it once: `first` is its box in the first frame. How far the most face-like window of
    that frame lies from `first` is taken off the later ones, because heads differ in where they
    lie in their box. Once the velocity is known, a window also pays for its distance from the
    predicted place.

    Args:
        film: the film.
        finder: judges the windows.
        height: height of the face in pixels.
        first: where the face is in the first frame.
    """
    found: list[Found] = []
    place, velocity = np.array([first.top, first.left], float), np.zeros(2)
    offset = np.zeros(2)
    for number, frame in enumerate(film.frames):
        expected = place + velocity + offset
        if 1 <= number <= _LEARNING:
            window = _search(frame, finder, height, expected, _WIDE, 0.0)
        else:
            window = _search(frame, finder, height, expected, _NARROW, _INERTIA)
        now = np.array([window.box.top, window.box.left])
        if not found:
            offset = now - place
        else:
            velocity = 0.3 * velocity + 0.7 * (now - offset - place)
        place = now - offset
        found.append(window._replace(box=_moved(window.box, -offset)))
    pairs = [(window.box, box) for window, box in zip(found, film.boxes, strict=True)]
    lost = np.array([intersection_over_union(*pair) < 0.3 for pair in pairs])
    return Track(found, np.array([center_distance(*pair) for pair in pairs]), lost)


def _search(
    frame: Picture,
    finder: Finder,
    height: int,
    expected: Float[np.ndarray, "2"],
    reach: float,
    inertia: float,
) -> Found:
    """Returns the best window near a place: its score, plus inertia times the squared way there."""
    rows, columns = finder.space.region.shape
    size = np.array([height, height * columns / rows])
    reach = reach * height
    low = np.floor((expected - reach).clip(0.0, np.array(frame.shape) - size - 1.0)).astype(int)
    high = np.ceil(expected + size + reach).astype(int)
    high = np.minimum(np.maximum(high, low + np.ceil(size).astype(int) + 1), frame.shape)
    part = frame[low[0] : high[0], low[1] : high[1]]
    window = find_face(part, finder, (height, height))
    scores = window.faceness
    if not np.isfinite(scores).any():
        scores = np.zeros(scores.shape)  # Nothing is seen: the face is where it is expected.
    resized_shape = np.array(scores.shape) + np.array([rows - 1, columns - 1])
    step = np.array(part.shape) / resized_shape  # Pixels of the frame from window to window.
    tops, lefts = (
        start + unit * np.arange(count)
        for start, unit, count in zip(low, step, scores.shape, strict=True)
    )
    ways = ((tops - expected[0]) / height)[:, None] ** 2 + ((lefts - expected[1]) / height)[
        None
    ] ** 2
    row, column = np.unravel_index(np.argmin(scores + inertia * ways), scores.shape)
    corner = (float(tops[row]), float(lefts[column]))
    down, right = float(rows * step[0]), float(columns * step[1])
    box = Box(*corner, corner[0] + down, corner[1] + right)
    return Found(box, float(scores[row, column]), scores)


def _moved(box: Box, by: np.ndarray) -> Box:
    down, right = (float(value) for value in by)
    return Box(box.top + down, box.left + right, box.bottom + down, box.right + right)
