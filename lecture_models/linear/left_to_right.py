"""Finds the most probable path through a hidden Markov model whose states follow each other.

Every path begins in the first state and ends in the last; from a frame to the next it stays or goes
on by one state. So a word is a row of sounds of unknown durations. Rabiner, 1989.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

Emissions = Float[np.ndarray, "sound frame state"]
Lengths = Int[np.ndarray, " sound"]
Paths = Int[np.ndarray, "sound frame"]


class Alignment(NamedTuple):
    """Holds the best path of each sound.

    Attributes:
        scores: the logarithm of its probability; -inf where a sound has fewer frames than states.
        paths: the state of each frame; -1 after the end.
    """

    scores: Float[np.ndarray, " sound"]
    paths: Paths


def best_paths(
    emissions: Emissions, lengths: Lengths, stay: Float[np.ndarray, " state"]
) -> Alignment:
    """Returns the most probable path of each sound: Viterbi's algorithm.

    v_t(s) = log p(x_t | s) + max(v_(t-1)(s) + log a_s, v_(t-1)(s-1) + log(1 - a_(s-1)))

    Args:
        emissions: log p(x_t | s), up to a constant of each frame.
        lengths: the number of frames of each sound.
        stay: the probability a_s of staying in each state, between 0 and 1.

    Returns:
        The paths and their scores.
    """
    count, frames, states = emissions.shape
    scores = np.full((count, states), -np.inf)
    scores[:, 0] = emissions[:, 0, 0]
    came = np.zeros((count, frames, states), bool)  # Whether a state came from the one before it.
    final = scores.copy()
    logs, moves = np.log(stay)[None], np.log1p(-stay)[None, :-1]
    for frame in range(1, frames):
        stayed = scores + logs
        moved = np.full_like(scores, -np.inf)
        moved[:, 1:] = scores[:, :-1] + moves
        came[:, frame] = moved > stayed
        scores = emissions[:, frame] + np.maximum(stayed, moved)
        final = np.where((frame < lengths)[:, None], scores, final)
    return Alignment(final[:, -1], _traced(came, lengths))


def even_paths(lengths: Lengths, frames: int, states: int) -> Paths:
    """Returns paths that stay equally long in all states.

    Args:
        lengths: the number of frames of each sound.
        frames: the number of columns of the result.
        states: the number of states.

    Returns:
        The states; -1 after the end.
    """
    places = np.arange(frames)[None]
    paths = np.minimum(places * states // np.maximum(lengths, 1)[:, None], states - 1)
    return np.where(places < lengths[:, None], paths, -1)


def stay_probabilities(paths: Paths, states: int) -> Float[np.ndarray, " state"]:
    """Returns the most probable chances of staying, given paths.

    Args:
        paths: the states of frames; -1 where there is none.
        states: the number of states.

    Returns:
        1 - 1 / (mean number of frames in the state), at least 0.05 and at most 0.98.
    """
    visits = np.array([(paths == state).any(axis=1).sum() for state in range(states)])
    spent = np.array([(paths == state).sum() for state in range(states)])
    return np.clip(1.0 - visits / np.maximum(spent, 1), 0.05, 0.98)


def _traced(came: np.ndarray, lengths: Lengths) -> Paths:
    count, frames, states = came.shape
    paths = np.full((count, frames), -1)
    state = np.full(count, states - 1)
    rows = np.arange(count)
    for frame in range(frames - 1, -1, -1):
        within = frame < lengths
        paths[:, frame] = np.where(within, state, -1)
        state = np.where(within & came[rows, frame, state], state - 1, state)
    return paths
