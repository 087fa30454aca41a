"""Trains and judges a network that hears the words of sentences, by their order alone."""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float32, Int32, Key

from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import DataError, Dataset, Split, joined
from lecture_models.losses.ctc import ctc_nats, greedy_words, require_frames
from lecture_models.models.sentence_recognizer import moments
from lecture_models.nn.log_mel import Spectrum
from lecture_models.nn.recurrent import length_mask
from lecture_models.nn.sound_perturbation import Perturbation
from lecture_models.steps.descent import TrainState, descend, init_train_state
from lecture_models.tasks.sound_inputs import Inputs

CHUNK = 10  # Sentences that are heard at a time.


class Sentences(NamedTuple):
    """Holds sentences, padded with zeros to one length.

    Attributes:
        samples: values in [-1, 1].
        lengths: the number of samples of each.
        words: the numbers of the words.
        counts: the number of words of each.
    """

    samples: Float32[np.ndarray, "sentence sample"]
    lengths: Int32[np.ndarray, " sentence"]
    words: Int32[np.ndarray, "sentence word"]
    counts: Int32[np.ndarray, " sentence"]

    def said(self, sentence: int) -> np.ndarray:
        """Returns the words of a sentence."""
        return self.words[sentence, : self.counts[sentence]]

    def sound(self, sentence: int) -> np.ndarray:
        """Returns the samples of a sentence."""
        return self.samples[sentence, : self.lengths[sentence]]


class Heard(NamedTuple):
    """Holds what a network heard of each sentence.

    Attributes:
        words: the words of each.
        logits: of each moment.
        moments: the number of moments of each.
    """

    words: list[np.ndarray]
    logits: Float32[np.ndarray, "sentence moment class"]
    moments: Int32[np.ndarray, " sentence"]


def divide(
    dataset: Dataset, spectrum: Spectrum, fastest: float, validate: bool
) -> tuple[Sentences, Sentences]:
    """Returns the sentences to train on, and those to judge.

    Args:
        dataset: sentences, as `sentence_dataset` has them.
        spectrum: how they are cut into frames.
        fastest: the largest factor of the tempo in training, both ways.
        validate: whether validation sentences are judged, and test sentences are unused.

    Raises:
        DataError: the data set has no sentences, or one is too short for its words.
    """
    if not {"samples", "words"} <= dataset.train.arrays.keys():
        raise DataError(f"{dataset.provenance.dataset} has no sounds of sentences")
    parts = (
        (dataset.train, dataset.validation)
        if validate
        else (joined(dataset.train, dataset.validation), dataset.test)
    )
    longest = max(int(part["samples"].lengths.max()) for part in parts)
    most = max(int(part["words"].lengths.max()) for part in parts)
    # Room for sentences that are slowed down.
    size = int(np.ceil(longest * fastest))
    padded = tuple(_padded(part, size, most) for part in parts)
    for part in padded:
        for sentence in range(len(part.lengths)):
            frames = spectrum.frames(int(part.lengths[sentence] / fastest))
            name = f"sentence {sentence} of {dataset.provenance.dataset}"
            try:
                require_frames(part.said(sentence), moments(frames), name)
            except ValueError as error:
                raise DataError(str(error)) from error
    return padded


def _padded(split: Split, size: int, most: int) -> Sentences:
    samples, words = split["samples"], split["words"]
    return Sentences(
        samples.padded(size),
        samples.lengths.astype(np.int32),
        words.padded(most),
        words.lengths.astype(np.int32),
    )


def make_batches(sentences: Sentences, batch_size: int, seed: int) -> ArrayBatches:
    """Returns batches of sentences."""
    return ArrayBatches(sentences._asdict(), min(batch_size, len(sentences.lengths)), seed)


def init_state(
    module: nn.Module,
    inputs: Inputs,
    optimizer: optax.GradientTransformation,
    sentences: Sentences,
    key: Key[Array, ""],
) -> TrainState:
    """Returns the network before the first step."""
    seen, mask = inputs.clean(
        jnp.asarray(sentences.samples[:1]), jnp.asarray(sentences.lengths[:1])
    )
    return init_train_state(optimizer, module.init(key, seen, mask)["params"])


def make_step(
    module: nn.Module,
    inputs: Inputs,
    optimizer: optax.GradientTransformation,
    perturbation: Perturbation,
) -> Callable:
    """Returns the step, which lowers the nats of each word.

    Args:
        module: the network.
        inputs: what it gets of a sound.
        optimizer: its optimizer.
        perturbation: how training sounds are changed.
    """

    def step(state: TrainState, batch, key):
        input_key, dropout_key = jax.random.split(key)
        seen, mask = inputs.perturbed(input_key, batch["samples"], batch["lengths"], perturbation)
        said = length_mask(batch["counts"], batch["words"].shape[1])

        def loss(params):
            logits, heard = module.apply(
                {"params": params}, seen, mask, True, rngs={"dropout": dropout_key}
            )
            nats = ctc_nats(logits, heard, batch["words"], said)
            mean = (nats / batch["counts"]).mean()
            return mean, {"nats_per_word": mean}

        return descend(optimizer, state, loss)

    return step


def make_hear(module: nn.Module, inputs: Inputs, sentences: Sentences) -> Callable[[Any], Heard]:
    """Returns the function from parameters to what the network hears of each sentence."""

    @jax.jit
    def classify(params, samples, lengths):
        logits, mask = module.apply({"params": params}, *inputs.clean(samples, lengths))
        return logits, mask.sum(axis=1)

    def hear(params: Any) -> Heard:
        logits, counts = [], []
        for begin in range(0, len(sentences.lengths), CHUNK):
            rows = np.arange(begin, min(begin + CHUNK, len(sentences.lengths)))
            chosen = np.resize(rows, CHUNK)  # One shape, one program.
            answer, frames = classify(params, sentences.samples[chosen], sentences.lengths[chosen])
            logits.append(np.asarray(answer)[: len(rows)])
            counts.append(np.asarray(frames)[: len(rows)])
        every, moments_of = np.concatenate(logits), np.concatenate(counts)
        words = [
            greedy_words(row, int(count)) for row, count in zip(every, moments_of, strict=True)
        ]
        return Heard(words, every, moments_of)

    return hear
