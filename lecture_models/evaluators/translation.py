"""Translates sentences with a trained network, and scores the translations."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32

from lecture_models.data.ragged import Ragged
from lecture_models.data.words import number_words, split_sentence
from lecture_models.models.translator import Decoding, Translator
from lecture_models.nn.beam_search import Hypotheses, search
from lecture_models.nn.recurrent import length_mask
from lecture_models.steps.descent import Params

UNKNOWN, START, END = 0, 1, 2  # The first words of every vocabulary here.
MARKS = ("<start>", "<end>")
ROWS = 128  # Sentences of one call.
STEPS_OF = 8  # Lengths are padded to multiples, so that few programs are compiled.


class Languages(NamedTuple):
    """Holds the vocabularies of both languages; both begin with UNKNOWN, START and END.

    Attributes:
        source: the words of numbers 0, 1, ... of the language to translate from.
        target: likewise of the language to translate to.
        most_words: the words of a longer sentence after so many are left out.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    most_words: int

    def read_source(self, texts: list[str]) -> Ragged:
        """Returns the numbers of the words of source sentences; each ends with END."""
        return self._numbered(texts, self.source)

    def read_target(self, texts: list[str]) -> Ragged:
        """Returns the numbers of the words of target sentences; each ends with END."""
        return self._numbered(texts, self.target)

    def _numbered(self, texts: list[str], vocabulary: tuple[str, ...]) -> Ragged:
        words = [[*split_sentence(text)[: self.most_words], MARKS[1]] for text in texts]
        return number_words(words, vocabulary)

    def write_target(self, tokens: np.ndarray) -> str:
        """Returns the sentence that target tokens spell, up to the first END."""
        words = []
        for token in tokens:
            if token == END:
                break
            words.append(self.target[token])
        return " ".join(words)


class Translation(NamedTuple):
    """Holds the best translations of one sentence, the best first.

    Attributes:
        texts: the sentences.
        log_probabilities: ln p of each, in nats.
        ended: whether each came to its END before it was cut off.
    """

    texts: tuple[str, ...]
    log_probabilities: tuple[float, ...]
    ended: tuple[bool, ...]


def translate(
    model: Translator,
    params: Params,
    languages: Languages,
    texts: list[str],
    beam: int = 1,
    length_penalty: float = 0.0,
    allowance: int = 10,
) -> list[Translation]:
    """Translates sentences; with a beam of 1 each word is the most probable one.

    Args:
        model: the network.
        params: its parameters.
        languages: the vocabularies.
        texts: the sentences.
        beam: the number of translations that are kept for each.
        length_penalty: see `nn.beam_search.search`.
        allowance: a translation is cut off when it has so many words more than 3/2 of its source.

    Returns:
        The translations, in the order of the sentences.
    """
    tokens = languages.read_source(texts)
    results: dict[int, Translation] = {}
    order = np.argsort(tokens.lengths, kind="stable")
    for first in range(0, len(order), ROWS):
        chosen = order[first : first + ROWS]
        padded, lengths = _padded(tokens[chosen])
        found = _search(
            model,
            params,
            padded,
            lengths,
            _up(int(1.5 * lengths.max()) + allowance),
            beam,
            length_penalty,
        )
        for row, number in enumerate(chosen):
            results[int(number)] = _translation(
                languages, jax.tree.map(lambda a, r=row: a[r], found)
            )
    return [results[number] for number in range(len(texts))]


def _translation(languages: Languages, found: Hypotheses) -> Translation:
    return Translation(
        tuple(languages.write_target(row) for row in found.tokens),
        tuple(map(float, found.log_probabilities)),
        tuple(bool((row == END).any()) for row in found.tokens),
    )


def _up(length: int) -> int:
    return -(-length // STEPS_OF) * STEPS_OF


def _padded(tokens: Ragged) -> tuple[np.ndarray, np.ndarray]:
    """Returns sentences and lengths, filled up to ROWS rows with the first sentence."""
    fill = np.concatenate([np.arange(len(tokens)), np.zeros(ROWS - len(tokens), np.int64)])
    rows = tokens[fill]
    return rows.padded(_up(int(rows.lengths.max()))), rows.lengths.astype(np.int32)


@functools.partial(jax.jit, static_argnames=("model", "steps", "beam", "length_penalty"))
def _search(model, params, source, lengths, steps, beam, length_penalty) -> Hypotheses:
    variables = {"params": params}
    mask = length_mask(lengths, source.shape[1])
    decoding = model.apply(variables, source, mask, method="read")
    sentence = jax.tree.map(lambda array: jnp.repeat(array, beam, axis=0), decoding.sentence)

    def advance(state, tokens):
        return model.apply(variables, Decoding(state, sentence), tokens, method="step")

    return search(
        advance, decoding.state, START, END, steps, beam, length_penalty, (UNKNOWN, START)
    )


class Alignment(NamedTuple):
    """Holds what the decoder looked at.

    Attributes:
        source: the words of the source, with the end.
        target: the words of the translation, with the end.
        weights: the attention's weight of each source word at each target word.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    weights: Float32[np.ndarray, "target source"]


def align(
    model: Translator, params: Params, languages: Languages, source: list[str], target: list[str]
) -> list[Alignment]:
    """Returns the weights of the attention while the network reads given translations."""
    read, written = languages.read_source(source), languages.read_target(target)
    padded, lengths = _padded(read)
    answers, _ = _padded(written)
    _, weights = _teach(model, params, padded, lengths, answers)
    return [
        Alignment(
            tuple(languages.source[token] for token in read[row]),
            tuple(languages.target[token] for token in written[row]),
            np.asarray(weights[row, : written.lengths[row], : read.lengths[row]]),
        )
        for row in range(len(source))
    ]


@functools.partial(jax.jit, static_argnames="model")
def _teach(model: Translator, params: Params, source, lengths, target):
    """Returns the nats of each target word, given those before it, and the weights."""
    mask = length_mask(lengths, source.shape[1])
    before = shifted(target)
    logits, weights = model.apply({"params": params}, source, mask, before)
    log_probability = jax.nn.log_softmax(logits)
    chosen = jnp.take_along_axis(log_probability, target[..., None], axis=-1)[..., 0]
    return -chosen, weights


def shifted(target: Array) -> Array:
    """Returns what the decoder reads: START, then the target without its last word."""
    start = jnp.full_like(target[:, :1], START)
    return jnp.concatenate([start, target[:, :-1]], axis=1)


def nats_per_word(
    model: Translator, params: Params, languages: Languages, source: list[str], target: list[str]
) -> float:
    """Returns the mean surprisal of the words of given translations, their ends included."""
    read, written = languages.read_source(source), languages.read_target(target)
    order = np.argsort(read.lengths, kind="stable")
    total = 0.0
    for first in range(0, len(order), ROWS):
        chosen = order[first : first + ROWS]
        padded, lengths = _padded(read[chosen])
        answers, counts = _padded(written[chosen])
        nats, _ = map(np.asarray, _teach(model, params, padded, lengths, answers))
        real = np.arange(nats.shape[1]) < counts[:, None]
        total += float((nats * real)[: len(chosen)].sum())
    return total / int(written.lengths.sum())
