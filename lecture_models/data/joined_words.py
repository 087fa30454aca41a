"""Joins recordings of single words to strings, whose words are thereby known."""

from pathlib import Path

import numpy as np

from lecture_models.data import fsdd
from lecture_models.data.dataset import DataError, Dataset, Split, joined
from lecture_models.data.labeled_sounds import RATE
from lecture_models.data.sentence_sounds import SoundSentence, sentence_split

DIGITS_PER_STRING, ROUNDS = 5, 4
PAUSES = (0.02, 0.15)  # Shortest and longest pause before, between and after words, in seconds.
NOISE = 1e-3  # Standard deviation of what is heard in a pause.


def read_digit_strings(data_dir: Path) -> Dataset:
    """Returns strings of five digits of the Free Spoken Digit Dataset; see `join_words`.

    Raises:
        DataAbsentError: the digits are not there.
        DataError: a file is damaged.
    """
    return join_words(fsdd.read(data_dir), "digit_strings", DIGITS_PER_STRING, ROUNDS)


def join_words(dataset: Dataset, name: str, words: int, rounds: int, seed: int = 0) -> Dataset:
    """Returns strings of words by one speaker each, with short pauses.

    A string has only recordings of its split. In the validation and test splits each recording is
    in one string; in the training split it is in one string of each round.

    Args:
        dataset: single words, as `sound_dataset` has them.
        name: the name of the new data set.
        words: the number of words of a string.
        rounds: how often training recordings are joined anew.
        seed: from which orders and pauses are drawn.

    Raises:
        DataError: no speaker has as many recordings in a split.
    """
    random = np.random.default_rng(seed)
    parts = (
        joined_rounds(dataset, dataset.train, random, words, rounds),
        joined_rounds(dataset, dataset.validation, random, words, 1),
        joined_rounds(dataset, dataset.test, random, words, 1),
    )
    note = f"strings of {words} words of one speaker, recordings joined here, seed {seed}"
    own = dataset.provenance.note
    provenance = dataset.provenance._replace(dataset=name, note=f"{own}; {note}" if own else note)
    return Dataset(*parts, (), provenance, {"words": dataset.classes})


def joined_rounds(
    dataset: Dataset, split: Split, random: np.random.Generator, words: int, rounds: int
) -> Split:
    """Returns the strings of one split."""
    parts = [_joined(dataset, split, random, words) for _ in range(rounds)]
    whole = parts[0]
    for part in parts[1:]:
        whole = joined(whole, part)
    return whole


def _joined(dataset: Dataset, split: Split, random: np.random.Generator, words: int) -> Split:
    strings = []
    for speaker in range(len(dataset.vocabularies["speakers"])):
        own = random.permutation(np.flatnonzero(split["speakers"] == speaker))
        for begin in range(0, len(own) - words + 1, words):
            strings.append(_string(dataset, split, own[begin : begin + words], random))
    if not strings:
        raise DataError(
            f"no speaker of {dataset.provenance.dataset} has {words} recordings in a split, so "
            "they cannot be joined"
        )
    order = random.permutation(len(strings))
    return sentence_split([strings[place] for place in order], dataset.classes)


def _string(dataset: Dataset, split: Split, chosen, random: np.random.Generator) -> SoundSentence:
    pieces = [_pause(random)]
    for recording in chosen:
        pieces += [split["samples"][int(recording)], _pause(random)]
    words = tuple(dataset.classes[split.labels[recording]] for recording in chosen)
    return SoundSentence(words, np.concatenate(pieces))


def _pause(random: np.random.Generator) -> np.ndarray:
    length = int(RATE * random.uniform(*PAUSES))
    return random.normal(0.0, NOISE, length).astype(np.float32)
