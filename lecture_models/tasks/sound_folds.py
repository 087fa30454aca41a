"""Trains and judges networks on sounds: in one split, or with each speaker left out in turn.

The networks of all folds take turns: a step trains one of them. So each has as many steps as if it
were alone, and a fold costs what a single network costs.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float32, Int, Int32, Key

from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import DataError, Dataset, joined
from lecture_models.data.labeled_sounds import RATE
from lecture_models.nn.sound_perturbation import QUIETEST, Perturbation, add_noise
from lecture_models.steps.descent import Metrics, TrainState, descend, init_train_state
from lecture_models.tasks.sound_inputs import Inputs

CHUNK = 100  # Sounds that are classified at a time.


class Fold(NamedTuple):
    """Holds the sounds on which one network trains, and those on which it is judged.

    Attributes:
        name: the speaker who is left out, or "all speakers".
        train: numbers of the sounds.
        judged: numbers of others.
    """

    name: str
    train: Int[np.ndarray, " trained"]
    judged: Int[np.ndarray, " judged"]


class SoundFolds(NamedTuple):
    """Holds all sounds of a data set, padded with zeros to one length, and the folds.

    Attributes:
        samples: values in [-1, 1] at RATE.
        lengths: the number of samples of each sound.
        labels: the word of each.
        speakers: who speaks each.
        classes: the words.
        speaker_names: the speakers.
        folds: the folds.
    """

    samples: Float32[np.ndarray, "sound sample"]
    lengths: Int32[np.ndarray, " sound"]
    labels: Int32[np.ndarray, " sound"]
    speakers: Int32[np.ndarray, " sound"]
    classes: tuple[str, ...]
    speaker_names: tuple[str, ...]
    folds: tuple[Fold, ...]


class Judged(NamedTuple):
    """Holds the logits of judged sounds, each from the network of its fold.

    Attributes:
        sounds: the numbers of the sounds.
        logits: of each class.
        labels: the true classes.
    """

    sounds: Int[np.ndarray, " judged"]
    logits: Float32[np.ndarray, "judged class"]
    labels: Int32[np.ndarray, " judged"]

    @property
    def right(self) -> np.ndarray:
        """Returns True where the most probable class is the true one."""
        return self.logits.argmax(axis=1) == self.labels

    @property
    def accuracy(self) -> float:
        """Returns the share of right answers in percent."""
        return 100.0 * float(self.right.mean())


def make_folds(
    dataset: Dataset, seconds: float, leave_speakers_out: bool, validate: bool
) -> SoundFolds:
    """Returns the sounds of a data set with one fold, or one for each speaker.

    Args:
        dataset: the sounds, as `sound_dataset` has them.
        seconds: what follows in a longer sound is left out.
        leave_speakers_out: whether each speaker in turn is unknown; the official split otherwise.
        validate: whether validation sounds are judged, and test sounds are not used at all: takes 5
            to 9, or the speaker after the one who is left out.

    Raises:
        DataError: the data set has no sounds, or too few speakers.
    """
    if "samples" not in dataset.train.arrays or "speakers" not in dataset.train.arrays:
        raise DataError(f"{dataset.provenance.dataset} has no sounds of words and speakers")
    everything = joined(joined(dataset.train, dataset.validation), dataset.test)
    cut = everything["samples"].truncated(max(1, round(seconds * RATE)))
    samples = cut.padded(max(1, round(seconds * RATE)))
    names, speakers = dataset.vocabularies["speakers"], everything["speakers"]
    if leave_speakers_out:
        least = 3 if validate else 2
        if len(names) < least:
            raise DataError(
                f"{dataset.provenance.dataset} has {len(names)} speakers; to leave one out there "
                f"must be at least {least}"
            )
        folds = tuple(_left_out(names, speakers, left, validate) for left in range(len(names)))
    else:
        sizes = [len(split) for split in (dataset.train, dataset.validation, dataset.test)]
        part = np.repeat(np.arange(3), sizes)
        judged = 1 if validate else 2
        train = np.flatnonzero(part == 0) if validate else np.flatnonzero(part < 2)
        folds = (Fold("all speakers", train, np.flatnonzero(part == judged)),)
    lengths = cut.lengths.astype(np.int32)
    labels = everything.labels
    return SoundFolds(samples, lengths, labels, speakers, dataset.classes, names, folds)


def _left_out(names, speakers, left: int, validate: bool) -> Fold:
    if not validate:
        return Fold(names[left], np.flatnonzero(speakers != left), np.flatnonzero(speakers == left))
    judged = (left + 1) % len(names)
    train = np.flatnonzero((speakers != left) & (speakers != judged))
    return Fold(names[judged], train, np.flatnonzero(speakers == judged))


class TurnBatches:
    """Draws the batches of all folds in turns, the same for the same step."""

    def __init__(self, sounds: SoundFolds, batch_size: int, seed: int):
        """Takes the sounds; a fold with fewer sounds than a batch makes all batches smaller."""
        size = min(batch_size, *(len(fold.train) for fold in sounds.folds))
        self._sounds = sounds
        self._parts = [
            ArrayBatches({"sound": fold.train}, size, seed + number)
            for number, fold in enumerate(sounds.folds)
        ]

    def __call__(self, first_step: int) -> Iterator[dict[str, np.ndarray]]:
        """Yields the batches from a step on."""
        for step in itertools.count(first_step):
            own_step, number = divmod(step, len(self._parts))
            part = self._parts[number]
            chosen = part.arrays["sound"][part.indices(own_step)]
            yield {
                "samples": self._sounds.samples[chosen],
                "lengths": self._sounds.lengths[chosen],
                "labels": self._sounds.labels[chosen],
                "fold": np.full(len(chosen), number, np.int32),
            }


def init_folds(
    module: nn.Module,
    inputs: Inputs,
    optimizer: optax.GradientTransformation,
    sounds: SoundFolds,
    key: Key[Array, ""],
) -> TrainState:
    """Returns the networks of all folds before the first step, along the first axis."""
    seen, mask = inputs.clean(jnp.asarray(sounds.samples[:1]), jnp.asarray(sounds.lengths[:1]))

    def init(key):
        return init_train_state(optimizer, module.init(key, seen, mask)["params"])

    return jax.vmap(init)(jax.random.split(key, len(sounds.folds)))


def make_step(
    module: nn.Module,
    inputs: Inputs,
    optimizer: optax.GradientTransformation,
    perturbation: Perturbation,
    smoothing: float,
) -> Callable:
    """Returns the step that trains the network whose turn it is.

    Args:
        module: the network.
        inputs: what it gets.
        optimizer: the optimizer of each network.
        perturbation: how training sounds are changed.
        smoothing: the share of a label that all classes get.
    """

    def step(state: TrainState, batch, key):
        fold = batch["fold"][0]
        input_key, dropout_key = jax.random.split(key)
        seen, mask = inputs.perturbed(input_key, batch["samples"], batch["lengths"], perturbation)

        def loss(params):
            logits = module.apply(
                {"params": params}, seen, mask, True, rngs={"dropout": dropout_key}
            )
            targets = optax.smooth_labels(
                jax.nn.one_hot(batch["labels"], logits.shape[-1]), smoothing
            )
            nats = optax.softmax_cross_entropy(logits, targets).mean()
            right = (logits.argmax(-1) == batch["labels"]).mean()
            return nats, {"loss": nats, "accuracy_percent": 100.0 * right}

        return descend_one(optimizer, state, fold, loss)

    return step


def descend_one(
    optimizer: optax.GradientTransformation,
    state: TrainState,
    fold: Int32[Array, ""],
    loss: Callable[[Any], tuple[Array, Metrics]],
) -> tuple[TrainState, Metrics]:
    """Updates the network of one fold once.

    Args:
        optimizer: the optimizer of each network.
        state: the networks of all folds, along the first axis of all leaves.
        fold: the number of the network.
        loss: maps its parameters to the scalar to lower, and to metrics.

    Returns:
        The state in which the other networks are as they were, and the metrics.
    """
    own, metrics = descend(optimizer, jax.tree.map(lambda leaf: leaf[fold], state), loss)
    return jax.tree.map(lambda leaf, new: leaf.at[fold].set(new), state, own), metrics


def make_judge(
    module: nn.Module, inputs: Inputs, sounds: SoundFolds
) -> Callable[[Any, float], Judged]:
    """Returns the function that lets each fold's network judge the fold's sounds.

    Args:
        module: the network.
        inputs: what it gets.
        sounds: the sounds and folds.

    Returns:
        A function of the parameters of all folds, and of the ratio of signal to noise in dB at
        which white noise is added, the same for all networks; 60 or more for none.
    """

    @jax.jit
    def classify(params, numbers, samples, lengths, decibels):
        keys = jax.vmap(jax.random.fold_in, (None, 0))(jax.random.key(0), numbers)
        noisy = jax.vmap(
            lambda key, own, length: add_noise(key, own[None], length[None], decibels[None])[0]
        )(keys, samples, lengths)
        heard = jnp.where(decibels >= QUIETEST, samples, noisy)
        return module.apply({"params": params}, *inputs.clean(heard, lengths))

    def judge(params: Any, decibels: float = QUIETEST) -> Judged:
        ratio = jnp.asarray(decibels, jnp.float32)
        logits = []
        for number, fold in enumerate(sounds.folds):
            own = jax.tree.map(lambda leaf, number=number: leaf[number], params)
            for begin in range(0, len(fold.judged), CHUNK):
                rows = fold.judged[begin : begin + CHUNK]
                chosen = np.resize(rows, CHUNK).astype(np.int32)  # One shape, one program.
                found = classify(own, chosen, sounds.samples[chosen], sounds.lengths[chosen], ratio)
                logits.append(np.asarray(found)[: len(rows)])
        judged = np.concatenate([fold.judged for fold in sounds.folds])
        return Judged(judged, np.concatenate(logits), sounds.labels[judged])

    return judge


def fold_accuracies(judged: Judged, sounds: SoundFolds) -> dict[str, float]:
    """Returns the accuracy of each fold in percent, by its name."""
    ends = np.cumsum([len(fold.judged) for fold in sounds.folds])[:-1]
    parts = np.split(judged.right, ends)
    return {
        fold.name: 100.0 * float(part.mean())
        for fold, part in zip(sounds.folds, parts, strict=True)
    }
