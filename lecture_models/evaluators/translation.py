"""Translates sentences with a trained network, and measures its surprise at given translations."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32

from lecture_models.data.ragged import Ragged
from lecture_models.data.words import number_words, split_sentence
from lecture_models.evaluators.word_writing import END, MARKS, reread, spell, write
from lecture_models.models.translator import Translator
from lecture_models.nn.beam_search import Hypotheses
from lecture_models.nn.recurrent import length_mask
from lecture_models.steps.descent import Params

ROWS = 128  # Sentences of one call.
STEPS_OF = 8  # Lengths are padded to multiples, so that few programs are compiled.
ALLOWANCE = 10  # A translation is cut off when it has so many words more than 3/2 of its source.


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
) -> list[Translation]:
    """Translates sentences; with a beam of 1 each word is the most probable one.

    Args:
        model: the network.
        params: its parameters.
        languages: the vocabularies.
        texts: the sentences.
        beam: the number of translations that are kept for each.
        length_penalty: see `nn.beam_search.search`.

    Returns:
        The translations, in the order of the sentences.
    """
    tokens = languages.read_source(texts)
    results: dict[int, Translation] = {}
    for chosen in _by_length(tokens):
        source, lengths = _padded(tokens[chosen])
        steps = _up(int(1.5 * lengths.max()) + ALLOWANCE)
        inputs = (source, length_mask(jnp.asarray(lengths), source.shape[1]))
        found = jax.tree.map(np.asarray, write(model, params, inputs, steps, beam, length_penalty))
        for row, number in enumerate(chosen):
            one = Hypotheses(*(array[row] for array in found))
            results[int(number)] = _translation(one, languages.target)
    return [results[number] for number in range(len(texts))]


def _translation(found: Hypotheses, vocabulary: tuple[str, ...]) -> Translation:
    return Translation(
        tuple(spell(row, vocabulary) for row in found.tokens),
        tuple(map(float, found.log_probabilities)),
        tuple(bool((row == END).any()) for row in found.tokens),
    )


def _by_length(tokens: Ragged) -> list[np.ndarray]:
    """Returns the numbers of sentences in groups of at most ROWS, the shortest first."""
    order = np.argsort(tokens.lengths, kind="stable")
    return [order[first : first + ROWS] for first in range(0, len(order), ROWS)]


def _up(length: int) -> int:
    return -(-length // STEPS_OF) * STEPS_OF


def _padded(tokens: Ragged) -> tuple[np.ndarray, np.ndarray]:
    """Returns sentences and lengths, filled up to ROWS rows with the first sentence."""
    fill = np.concatenate([np.arange(len(tokens)), np.zeros(ROWS - len(tokens), np.int64)])
    rows = tokens[fill]
    return rows.padded(_up(int(rows.lengths.max()))), rows.lengths.astype(np.int32)


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
    """Returns the weights of the attention while the network reads given translations.

    Args:
        model: the network, with attention.
        params: its parameters.
        languages: the vocabularies.
        source: at most ROWS sentences.
        target: a translation of each.

    Returns:
        An alignment of each sentence.
    """
    read, written = languages.read_source(source), languages.read_target(target)
    _, weights = _reread(model, params, read, written)
    return [
        Alignment(
            tuple(languages.source[token] for token in read[row]),
            tuple(languages.target[token] for token in written[row]),
            np.asarray(weights[row, : written.lengths[row], : read.lengths[row]]),
        )
        for row in range(len(source))
    ]


def _reread(model: Translator, params: Params, read: Ragged, written: Ragged):
    source, lengths = _padded(read)
    target, _ = _padded(written)
    inputs = (source, length_mask(jnp.asarray(lengths), source.shape[1]))
    return map(np.asarray, reread(model, params, inputs, target))


def nats_per_word(
    model: Translator, params: Params, languages: Languages, source: list[str], target: list[str]
) -> float:
    """Returns the mean surprisal of the words of given translations, their ends included.

    Args:
        model: the network.
        params: its parameters.
        languages: the vocabularies.
        source: the sentences.
        target: a translation of each.

    Returns:
        The mean in nats.
    """
    read, written = languages.read_source(source), languages.read_target(target)
    total = 0.0
    for chosen in _by_length(read):
        nats, _ = _reread(model, params, read[chosen], written[chosen])
        real = np.arange(nats.shape[1]) < written.lengths[chosen][:, None]
        total += float((nats[: len(chosen)] * real).sum())
    return total / int(written.lengths.sum())
