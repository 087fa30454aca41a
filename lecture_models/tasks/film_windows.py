"""Cuts films into windows, leaves one person out in turn, and lets the windows of a film vote."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key, UInt8

from lecture_models.data.dataset import Split
from lecture_models.data.ragged import Ragged


class Windows(NamedTuple):
    """Holds windows of films.

    Attributes:
        frames: gray values; zeros follow the frames of a film that is shorter than a window.
        lengths: the number of real frames of each window.
        labels: the class of each.
        people: who acts in each.
        films: the number of the film that each was cut from.
    """

    frames: UInt8[np.ndarray, "window time side side"]
    lengths: Int[np.ndarray, " window"]
    labels: Int[np.ndarray, " window"]
    people: Int[np.ndarray, " window"]
    films: Int[np.ndarray, " window"]


def shrink(frames: Ragged, side: int) -> Ragged:
    """Returns films whose frames are averaged down to a smaller side.

    Args:
        frames: films with square frames.
        side: the side in pixels, a divisor of theirs.

    Returns:
        The smaller films.

    Raises:
        ValueError: the side does not divide that of the frames.
    """
    large = frames.values.shape[1]
    if large % side:
        raise ValueError(f"frames of {large} pixels cannot be reduced to {side}: not a divisor")
    blocks = frames.values.reshape(-1, side, large // side, side, large // side)
    return Ragged(np.rint(blocks.mean(axis=(2, 4))).astype(np.uint8), frames.lengths)


def cut_windows(split: Split, side: int, length: int, stride: int) -> Windows:
    """Cuts each film into overlapping windows; the last one ends with the film.

    Args:
        split: films with `frames`, `labels` and `people`.
        side: the side in pixels of the windows' frames.
        length: frames of a window; a shorter film is one window, padded.
        stride: frames between the beginnings of windows.

    Returns:
        The windows, in the order of the films.
    """
    films = shrink(split["frames"], side)
    cut, lengths, numbers = [], [], []
    for number, total in enumerate(films.lengths):
        last = max(int(total) - length, 0)
        for begin in sorted({*range(0, last + 1, stride), last}):
            window = films[number][begin : begin + length]
            lengths.append(len(window))
            cut.append(np.pad(window, ((0, length - len(window)), (0, 0), (0, 0))))
            numbers.append(number)
    films_of = np.array(numbers, np.int32)
    return Windows(
        np.stack(cut),
        np.array(lengths, np.int32),
        split.labels[films_of],
        split["people"][films_of],
        films_of,
    )


def to_films(frames: UInt8[Array | np.ndarray, "window time side side"]) -> Float[Array, "..."]:
    """Returns gray values as floats in [-1, 1] with one channel."""
    return jnp.asarray(frames, jnp.float32)[..., None] / 127.5 - 1.0


def rolled(
    key: Key[Array, ""], films: Float[Array, "window time height width 1"], most: int
) -> Float[Array, "window time height width 1"]:
    """Shifts each window by a random number of pixels; what leaves on one side comes back.

    Args:
        key: draws the shifts.
        films: the windows.
        most: the largest shift in pixels, down and across.

    Returns:
        The shifted windows; all frames of a window are shifted alike.
    """
    shifts = jax.random.randint(key, (2, len(films), 1), -most, most + 1)
    rows, columns = (
        (jnp.arange(size)[None] - shift) % size
        for size, shift in zip(films.shape[2:4], shifts, strict=True)
    )
    films = jnp.take_along_axis(films, rows[:, None, :, None, None], axis=2)
    return jnp.take_along_axis(films, columns[:, None, None, :, None], axis=3)


def shuffled(
    key: Key[Array, ""],
    films: Float[Array, "window time height width 1"],
    mask: Bool[Array, "window time"],
) -> Float[Array, "window time height width 1"]:
    """Puts the real frames of each window into a random order; padding stays at the end."""
    draws = jnp.where(mask, jax.random.uniform(key, mask.shape), 2.0)
    return jnp.take_along_axis(films, jnp.argsort(draws, axis=1)[..., None, None, None], axis=1)


def reversed_in_time(
    films: Float[Array, "window time height width 1"], mask: Bool[Array, "window time"]
) -> Float[Array, "window time height width 1"]:
    """Returns the real frames of each window from the last to the first; padding stays."""
    times = jnp.arange(mask.shape[1])[None]
    order = jnp.where(mask, mask.sum(axis=1, keepdims=True) - 1 - times, times)
    return jnp.take_along_axis(films, order[..., None, None, None], axis=1)


def motion(
    films: Float[Array, "window time height width 1"],
) -> Float[Array, "window time height width 1"]:
    """Returns the change since the frame before; the first frame has none."""
    return jnp.diff(films, axis=1, prepend=films[:, :1])


def vote(
    log_probabilities: Float[np.ndarray, "window class"], films: Int[np.ndarray, " window"]
) -> dict[int, int]:
    """Returns the class of each film that its windows prefer together.

    Args:
        log_probabilities: of each class, for each window.
        films: the film of each window.

    Returns:
        The class with the largest sum of log-probabilities, by film.
    """
    return {
        int(film): int(log_probabilities[films == film].sum(axis=0).argmax())
        for film in np.unique(films)
    }
