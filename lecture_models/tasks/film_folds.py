"""Trains and judges networks on films, each with own weights for each person left out."""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int, Key

from lecture_models.nn.recurrent import length_mask
from lecture_models.tasks.film_windows import Windows, reversed_in_time, to_films, vote

CHUNK = 64  # Windows that are classified at a time.

# Maps a key, windows in [-1, 1] and their mask to what a network sees.
Prepare = Callable[[Key[Array, ""], Any, Any], Any]


class Network(NamedTuple):
    """Describes a network that is trained beside the others.

    Attributes:
        name: its name in metrics.
        words: its name in tables.
        module: the flax module, called with films, mask and whether it trains.
        prepare: what it sees of a window.
    """

    name: str
    words: str
    module: nn.Module
    prepare: Prepare


def seen_mask(
    films: Float[Array, "window seen ..."], lengths: Int[Array, " window"]
) -> Bool[Array, "window seen"]:
    """Returns the mask of what a network sees, which may be fewer frames than a window has.

    Args:
        films: what it sees.
        lengths: the number of real frames of each window.

    Returns:
        True at real frames.
    """
    return length_mask(lengths, films.shape[1])


def fold_losses(network: Network, params, films, lengths, labels, key) -> Float[Array, " person"]:
    """Returns the loss of the network of each person left out, one after the other.

    Args:
        network: the network.
        params: its parameters; as in all arguments, the person is the first axis.
        films: what it sees.
        lengths: the number of real frames of each window.
        labels: the class of each window.
        key: draws what is dropped.

    Returns:
        The mean cross-entropy of each.
    """

    def loss(fold):
        params, films, lengths, labels, key = fold
        logits = network.module.apply(
            {"params": params}, films, seen_mask(films, lengths), True, rngs={"dropout": key}
        )[:, -1]
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

    keys = jax.random.split(key, len(labels))
    return jax.lax.map(loss, (params, films, lengths, labels, keys))


class Judged(NamedTuple):
    """Holds the log-probabilities of all windows, each by the networks that never saw its person.

    Attributes:
        in_order: of the windows as they are.
        backward: of the windows from the last frame to the first.
    """

    in_order: Float[np.ndarray, "window class"]
    backward: Float[np.ndarray, "window class"]


def make_judge(
    network: Network, windows: Windows, people: int
) -> Callable[[Any, Key[Array, ""]], Judged]:
    """Returns the function that lets each person's windows be judged by the fold without them.

    Args:
        network: the network.
        windows: the windows of all people.
        people: the number of people.

    Returns:
        A function of the parameters, whose first axis is the person left out, and of a key.
    """

    def classify(params, key, frames, lengths):
        films = to_films(frames)
        mask = length_mask(lengths, films.shape[1])
        answers = []
        for way, own_key in zip(
            (films, reversed_in_time(films, mask)), jax.random.split(key), strict=True
        ):
            seen = network.prepare(own_key, way, mask)
            logits = network.module.apply({"params": params}, seen, seen_mask(seen, lengths))
            answers.append(jax.nn.log_softmax(logits[:, -1]))
        return Judged(*answers)

    compiled = jax.jit(classify)

    def judge(params: Any, key: Key[Array, ""]) -> Judged:
        classes = network.module.num_classes
        found = Judged(*(np.zeros((len(windows.labels), classes), np.float32) for _ in range(2)))
        for person in range(people):
            own = jax.tree.map(lambda leaf, person=person: np.asarray(leaf)[person], params)
            rows = np.flatnonzero(windows.people == person)
            for begin in range(0, len(rows), CHUNK):
                chunk = rows[begin : begin + CHUNK]
                padded = np.resize(chunk, CHUNK)  # One shape, one program.
                own_key = jax.random.fold_in(jax.random.fold_in(key, person), begin)
                answers = compiled(own, own_key, windows.frames[padded], windows.lengths[padded])
                for values, answer in zip(found, answers, strict=True):
                    values[chunk] = np.asarray(answer)[: len(chunk)]
        return found

    return judge


def accuracies(
    log_probabilities: Float[np.ndarray, "window class"], windows: Windows
) -> tuple[float, float, dict[int, int]]:
    """Returns the accuracy of windows and of films in percent, and the class of each film.

    Args:
        log_probabilities: of each class, for each window.
        windows: the windows.

    Returns:
        Both accuracies, and by film the class for which its windows vote.
    """
    of_windows = 100.0 * float((log_probabilities.argmax(axis=1) == windows.labels).mean())
    voted = vote(log_probabilities, windows.films)
    first = {film: int(np.argmax(windows.films == film)) for film in voted}
    right = [windows.labels[first[film]] == label for film, label in voted.items()]
    return of_windows, 100.0 * float(np.mean(right)), voted
