"""Computes the likelihood of piano rolls under counts of keys, the baselines without a net."""

import numpy as np
from jaxtyping import Float, Shaped

Frames = Shaped[np.ndarray, "frame key"]
ADDED = 0.5  # Counted in advance for "down" and for "up", so that nothing is impossible.


def key_shares(frames: Frames) -> Float[np.ndarray, " key"]:
    """Returns the probability that each key is down, by counting.

    (times down + 0.5) / (frames + 1)

    Args:
        frames: 0 or 1.

    Returns:
        The probabilities; 1/2 where there are no frames.
    """
    return (np.asarray(frames, float).sum(axis=0) + ADDED) / (len(frames) + 2 * ADDED)


def held_shares(before: Frames, after: Frames) -> Float[np.ndarray, "state key"]:
    """Returns the probability that each key is down after it was up (row 0) or down (row 1).

    Args:
        before: frames, 0 or 1.
        after: the frame that follows each of them.

    Returns:
        The probabilities.
    """
    was_down = np.asarray(before, bool)
    is_down = np.asarray(after, float)
    rows = []
    for state in (~was_down, was_down):
        count = state.sum(axis=0)
        rows.append(((is_down * state).sum(axis=0) + ADDED) / (count + 2 * ADDED))
    return np.stack(rows)


def counted_nats(
    probabilities: Float[np.ndarray, "frame key"] | Float[np.ndarray, " key"], frames: Frames
) -> Float[np.ndarray, " frame"]:
    """Returns the negative log-likelihood of each frame, whose keys are independent.

    Args:
        probabilities: that each key is down, for each frame or for all.
        frames: 0 or 1.

    Returns:
        One value per frame in nats; 88 log 2 for probabilities of 1/2.
    """
    chosen = np.where(np.asarray(frames, bool), probabilities, 1.0 - probabilities)
    return -np.log(chosen).sum(axis=-1)
