"""Fits a hidden Markov model with Gaussian mixtures to each word, and recognizes words with it.

Training is Viterbi's: the frames of each state are those of the best paths so far; a mixture is
fitted to them; and the best paths are found anew. The first paths are even.
"""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int

from lecture_models.linear.left_to_right import (
    Alignment,
    best_paths,
    even_paths,
    stay_probabilities,
)

Emit = Callable[[int], Float[np.ndarray, "sound frame state"]]  # Of the word's number.


class SpeechFrames(NamedTuple):
    """Holds sounds as frames, padded to one number of them.

    Attributes:
        values: the features of each frame.
        lengths: the number of frames of each sound.
        labels: the word of each sound.
    """

    values: Float32[np.ndarray, "sound frame feature"]
    lengths: Int[np.ndarray, " sound"]
    labels: Int[np.ndarray, " sound"]

    def select(self, chosen: np.ndarray) -> "SpeechFrames":
        """Returns some of the sounds."""
        return SpeechFrames(*(array[chosen] for array in self))


class WordModels(NamedTuple):
    """Holds the model of each word.

    Attributes:
        mixtures: by word and state, a mixture of scikit-learn.
        stay: the probability of staying in each state.
    """

    mixtures: list[list[Any]]
    stay: Float[np.ndarray, "word state"]

    def emissions(self, sounds: SpeechFrames, word: int) -> Float[np.ndarray, "sound frame state"]:
        """Returns the log-densities of the frames in the states of a word."""
        flat = sounds.values.reshape(-1, sounds.values.shape[-1])
        states = [mixture.score_samples(flat) for mixture in self.mixtures[word]]
        return np.stack(states, axis=-1).reshape(*sounds.values.shape[:2], -1)


def fit_words(
    sounds: SpeechFrames, words: int, states: int, components: int, rounds: int, seed: int
) -> tuple[WordModels, Int[np.ndarray, "sound frame"]]:
    """Fits the models of all words.

    Args:
        sounds: training sounds.
        words: the number of words.
        states: of each word.
        components: of each state's mixture, with diagonal covariances.
        rounds: how often mixtures are fitted and paths found.
        seed: from which the mixtures' first centers are drawn.

    Returns:
        The models, and the state of each frame; -1 after the end.
    """
    frames = sounds.values.shape[1]
    paths = even_paths(sounds.lengths, frames, states)
    mixtures: list[list[Any]] = []
    stay = np.zeros((words, states))
    for word in range(words):
        own = np.flatnonzero(sounds.labels == word)
        part = sounds.select(own)
        for _ in range(rounds):
            fitted = [
                _mixture(part.values[paths[own] == state], components, seed)
                for state in range(states)
            ]
            stay[word] = stay_probabilities(paths[own], states)
            models = WordModels([fitted], stay[word][None])
            found = best_paths(models.emissions(part, 0), part.lengths, stay[word])
            paths[own] = np.where(np.isfinite(found.scores)[:, None], found.paths, paths[own])
        mixtures.append(fitted)
    return WordModels(mixtures, stay), paths


def _mixture(frames: np.ndarray, components: int, seed: int):
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    count = max(1, min(components, len(frames) // 4))
    # So few rounds that they seldom converge, which is no fault: other rounds follow.
    mixture = GaussianMixture(
        count, covariance_type="diag", reg_covar=1e-2, max_iter=8, tol=0.0, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(frames)


def recognize(
    sounds: SpeechFrames, emit: Emit, stay: Float[np.ndarray, "word state"]
) -> tuple[Float[np.ndarray, "sound word"], list[Alignment]]:
    """Returns the score of each word for each sound, and the alignments of each word.

    Args:
        sounds: the sounds.
        emit: returns the logarithms of the emissions in the states of a word.
        stay: of each word.
    """
    found = [best_paths(emit(word), sounds.lengths, stay[word]) for word in range(len(stay))]
    return np.stack([alignment.scores for alignment in found], axis=1), found
