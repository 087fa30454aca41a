"""Writes captions with a trained network, and compares them with what needs no network."""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Float32, Int

from lecture_models.data.ragged import Ragged
from lecture_models.data.words import number_words, split_sentence
from lecture_models.evaluators.word_writing import MARKS, reread, spell, write
from lecture_models.metrics.translation_scores import bleu
from lecture_models.models.captioner import Captioner
from lecture_models.steps.descent import Params

ROWS = 50  # Pictures of one call.
MOST_WORDS = 20  # The rest of a longer caption is left out.
JUDGED = 200  # Training pictures on which the best constant caption is chosen.

Grids = Float[np.ndarray, "picture place channel"]


def number_captions(texts: list[str], vocabulary: tuple[str, ...]) -> Ragged:
    """Returns the numbers of the words of captions; each ends with END.

    Args:
        texts: the captions.
        vocabulary: the words of numbers 0, 1, ..., the first of which are those of `word_writing`.

    Returns:
        The numbers.
    """
    words = [[*split_sentence(text)[:MOST_WORDS], MARKS[1]] for text in texts]
    return number_words(words, vocabulary)


def describe(
    model: Captioner,
    params: Params,
    vocabulary: tuple[str, ...],
    grids: Grids,
    beam: int = 1,
    length_penalty: float = 0.0,
) -> list[str]:
    """Returns a caption of each picture.

    Args:
        model: the network.
        params: its parameters.
        vocabulary: its words.
        grids: the features of the pictures.
        beam: the number of captions that the search keeps; see `word_writing.write`.
        length_penalty: see `nn.beam_search.search`.

    Returns:
        The most probable captions that the search finds.
    """
    captions: list[str] = []
    for first in range(0, len(grids), ROWS):
        part = grids[first : first + ROWS]
        inputs = (_filled(part),)
        found = write(model, params, inputs, MOST_WORDS + 4, beam, length_penalty)
        tokens = np.asarray(found.tokens[: len(part), 0])
        captions += [spell(row, vocabulary) for row in tokens]
    return captions


def _filled(rows: np.ndarray) -> Float32[np.ndarray, "row place channel"]:
    """Returns rows in float32, filled up to ROWS with the last one."""
    missing = ROWS - len(rows)
    return np.concatenate([rows, np.repeat(rows[-1:], missing, axis=0)]).astype(np.float32)


def attend(
    model: Captioner,
    params: Params,
    vocabulary: tuple[str, ...],
    grids: Grids,
    captions: list[str],
) -> list[Float32[np.ndarray, "word place"]]:
    """Returns the weight of each place at each word of given captions.

    Args:
        model: the network, with attention.
        params: its parameters.
        vocabulary: its words.
        grids: the features of at most ROWS pictures.
        captions: one of each picture.

    Returns:
        For each picture the weights, without those of the end.
    """
    tokens = number_captions(captions, vocabulary)
    fill = np.concatenate([np.arange(len(tokens)), np.zeros(ROWS - len(tokens), np.int64)])
    padded = tokens[fill].padded(MOST_WORDS + 1)
    _, weights = reread(model, params, (_filled(grids),), padded)
    return [np.asarray(weights[row, : length - 1]) for row, length in enumerate(tokens.lengths)]


def rank_pictures(
    model: Captioner,
    params: Params,
    vocabulary: tuple[str, ...],
    grids: Grids,
    captions: list[str],
) -> Int[np.ndarray, " caption"]:
    """Returns the rank of each caption's own picture among all pictures, the best is 1.

    Pictures are ordered by the probability that the network gives the caption for them.

    Args:
        model: the network.
        params: its parameters.
        vocabulary: its words.
        grids: the features of the pictures.
        captions: one of each picture, in the same order.

    Returns:
        The ranks.
    """
    tokens = number_captions(captions, vocabulary)
    ranks = []
    for number in range(len(captions)):
        words = np.broadcast_to(
            tokens[number : number + 1].padded(MOST_WORDS + 1), (ROWS, MOST_WORDS + 1)
        )
        nats = []
        for first in range(0, len(grids), ROWS):
            part = grids[first : first + ROWS]
            by_word, _ = reread(model, params, (_filled(part),), words)
            counted = np.asarray(by_word)[: len(part), : tokens.lengths[number]]
            nats.append(counted.sum(axis=1))
        surprise = np.concatenate(nats)
        ranks.append(1 + int((surprise < surprise[number]).sum()))
    return np.array(ranks)


class Baselines(NamedTuple):
    """Holds captions that need no recurrent network.

    Attributes:
        constant: the caption that suits the training pictures best.
        nearest: for each picture the first caption of the most similar training picture.
    """

    constant: str
    nearest: list[str]


def baselines(
    grids: Grids,
    train_grids: Grids,
    train_captions: list[tuple[str, ...]],
    candidates: int,
    generator: np.random.Generator,
) -> Baselines:
    """Returns the captions of two baselines.

    Args:
        grids: the features of the pictures that are described.
        train_grids: those of the training pictures.
        train_captions: their captions.
        candidates: the number of training captions among which the constant one is chosen.
        generator: draws the candidates of the constant caption and the pictures that judge them.

    Returns:
        The captions. The constant one has the largest BLEU-4 of some training captions, as the
        caption of some training pictures; pictures are similar by the angle between the means of
        their features.
    """
    judged = generator.permutation(len(train_captions))[:JUDGED]
    references = [train_captions[number] for number in judged]
    pool = sorted({text for captions in train_captions for text in captions})
    chosen = generator.permutation(len(pool))[:candidates]
    scores = [bleu([pool[number]] * len(references), references) for number in chosen]
    constant = pool[chosen[int(np.argmax(scores))]]
    codes, train_codes = (_direction(part) for part in (grids, train_grids))
    nearest = (codes @ train_codes.T).argmax(axis=1)
    return Baselines(constant, [train_captions[number][0] for number in nearest])


def _direction(grids: Grids) -> Float32[np.ndarray, "picture channel"]:
    means = grids.astype(np.float32).mean(axis=1)
    return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)


def shuffled(count: int, key) -> Int[np.ndarray, " picture"]:
    """Returns another picture for each picture: none keeps its own.

    Args:
        count: the number of pictures, at least 2.
        key: the key of the draw.

    Returns:
        The number of the other picture of each.
    """
    order = np.asarray(jax.random.permutation(key, count))
    other = np.empty(count, np.int64)
    other[order] = np.roll(order, 1)
    return other
