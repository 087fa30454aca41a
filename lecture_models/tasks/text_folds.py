"""Divides labeled texts into training, validation and test examples, once or in several folds.

A fold has a vocabulary of its own: the words that its training texts have often enough. All folds
share one numbering, and a fold takes every other word for the unknown one, so that the networks of
all folds can be trained side by side on the same batches.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int, Int8, Int32

from lecture_models.data.dataset import DataError, Dataset, Split, joined
from lecture_models.data.ragged import Ragged
from lecture_models.data.words import count_words, make_vocabulary, number_words, split_words

TRAIN, VALIDATION, TEST = range(3)


class TextFolds(NamedTuple):
    """Holds labeled texts and their parts.

    Attributes:
        texts: all texts, cut into words.
        tokens: the numbers of their words in `vocabulary`.
        labels: their classes.
        classes: the names of the classes.
        parts: for each fold and text, TRAIN, VALIDATION or TEST.
        vocabulary: the words that at least one fold knows; word 0 is UNKNOWN.
        known: for each fold and word, whether the fold knows it.
    """

    texts: tuple[list[str], ...]
    tokens: Ragged
    labels: Int32[np.ndarray, " text"]
    classes: tuple[str, ...]
    parts: Int8[np.ndarray, "fold text"]
    vocabulary: tuple[str, ...]
    known: Bool[np.ndarray, "fold word"]

    def __len__(self) -> int:  # Of a NamedTuple it would be the number of fields.
        return len(self.parts)

    def members(self, fold: int, part: int) -> Int[np.ndarray, " member"]:
        """Returns the numbers of the texts of a part of a fold."""
        return np.flatnonzero(self.parts[fold] == part)

    def labeled(self, fold: int, part: int) -> tuple[list[list[str]], np.ndarray]:
        """Returns the words and the classes of the texts of a part of a fold."""
        members = self.members(fold, part)
        return [self.texts[member] for member in members], self.labels[members]


def make_folds(dataset: Dataset, folds: int, least: int, most_words: int) -> TextFolds:
    """Returns the texts of a data set in its own split, or in folds of a cross-validation.

    Each text tests in one fold and validates in the next one; the folds are the same for all seeds.

    Args:
        dataset: labeled texts.
        folds: the number of folds; 0 for the split of the data set, as a single fold.
        least: how often the training texts of a fold must have a word that it knows.
        most_words: the words of a text after so many are left out.

    Raises:
        DataError: the data set has no texts, fewer than two classes, or fewer texts of a class than
            folds.
    """
    if len(dataset.classes) < 2 or "texts" not in dataset.train.arrays:
        raise DataError(f"{dataset.provenance.dataset} has no texts with two or more classes")
    whole = joined(joined(dataset.train, dataset.validation), dataset.test)
    if folds:
        parts = _cross_validation(whole.labels, folds, dataset)
    else:
        sizes = [len(split) for split in (dataset.train, dataset.validation, dataset.test)]
        parts = np.repeat(np.arange(3, dtype=np.int8), sizes)[None]
    texts = tuple(split_words(text, most_words) for text in whole["texts"])
    vocabulary, known = _vocabularies(texts, parts, least)
    tokens = number_words(texts, vocabulary)
    return TextFolds(texts, tokens, whole.labels, dataset.classes, parts, vocabulary, known)


def _cross_validation(labels, folds: int, dataset: Dataset) -> Int8[np.ndarray, "fold text"]:
    from sklearn.model_selection import StratifiedKFold

    rarest = int(np.bincount(labels, minlength=len(dataset.classes)).min())
    if rarest < folds:
        raise DataError(
            f"--folds is {folds}; the rarest class of {dataset.provenance.dataset} has {rarest} "
            f"texts, so it must be at most {rarest}"
        )
    parts = np.full((folds, len(labels)), TRAIN, np.int8)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=0)
    for fold, (_, tested) in enumerate(splitter.split(labels, labels)):
        parts[fold, tested] = TEST
        parts[(fold + 1) % folds, tested] = VALIDATION
    return parts


def _vocabularies(
    texts, parts, least: int
) -> tuple[tuple[str, ...], Bool[np.ndarray, "fold word"]]:
    """Returns the words that a fold knows at least, and by fold which ones it knows."""
    every = make_vocabulary(count_words(texts), least)
    tokens = number_words(texts, every)
    counts = np.stack(
        [np.bincount(tokens[part == TRAIN].values, minlength=len(every)) for part in parts]
    )
    known = counts >= least
    known[:, 0] = True
    # The order tells nothing of the other parts either: by training counts, then by alphabet.
    used = [number for number in range(1, len(every)) if known[:, number].any()]
    used.sort(key=lambda number: (-counts[:, number].sum(), every[number]))
    used = [0, *used]
    return tuple(every[number] for number in used), known[:, used]


def training_split(folds: TextFolds, balanced: bool) -> Split:
    """Returns the texts that any fold trains on, with their weights in each fold.

    Args:
        folds: the texts.
        balanced: whether the classes of a fold's training texts weigh the same in sum.

    Returns:
        `tokens`, `labels`, and `fold_weights`, (text, fold): 0 where the fold does not train on the
        text, else 1, or about 1 if balanced.
    """
    weights = np.zeros((len(folds.labels), len(folds)), np.float32)
    for fold in range(len(folds)):
        members = folds.members(fold, TRAIN)
        counts = np.bincount(folds.labels[members], minlength=len(folds.classes))
        shares = len(members) / (np.maximum(counts, 1) * (counts > 0).sum())
        weights[members, fold] = shares[folds.labels[members]] if balanced else 1.0
    used = weights.any(axis=1)
    arrays = {"tokens": folds.tokens, "labels": folds.labels, "fold_weights": weights}
    return Split(arrays).select(used)


class PartArrays(NamedTuple):
    """Holds the texts of one part of all folds, padded to equal lengths and numbers.

    Attributes:
        tokens: the numbers of the words.
        lengths: the numbers of words; 1 where a fold has no further text.
        labels: the classes.
        exists: False where a fold has no further text.
    """

    tokens: Int32[np.ndarray, "fold text time"]
    lengths: Int32[np.ndarray, "fold text"]
    labels: Int32[np.ndarray, "fold text"]
    exists: Bool[np.ndarray, "fold text"]


def part_arrays(folds: TextFolds, part: int) -> PartArrays:
    """Returns the texts of a part of all folds, each with its fold's own unknown words."""
    members = [folds.members(fold, part) for fold in range(len(folds))]
    most = max(map(len, members))
    length = max(int(folds.tokens[chosen].lengths.max()) for chosen in members)
    tokens = np.zeros((len(folds), most, length), np.int32)
    lengths = np.ones((len(folds), most), np.int32)
    labels = np.zeros((len(folds), most), np.int32)
    exists = np.zeros((len(folds), most), bool)
    for fold, chosen in enumerate(members):
        rows = slice(len(chosen))
        padded = folds.tokens[chosen].padded(length)
        tokens[fold, rows] = np.where(folds.known[fold][padded], padded, 0)
        lengths[fold, rows] = folds.tokens[chosen].lengths
        labels[fold, rows] = folds.labels[chosen]
        exists[fold, rows] = True
    return PartArrays(tokens, lengths, labels, exists)
