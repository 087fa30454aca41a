"""Counts the words that a recognizer gets wrong."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

Words = Sequence[Any] | np.ndarray


class WordErrors(NamedTuple):
    """Counts the changes that turn what was said into what was heard.

    Attributes:
        substitutions: words that were heard as others.
        deletions: words that were not heard.
        insertions: words that were heard but not said.
        words: the number of words that were said.
    """

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    words: int = 0

    @property
    def count(self) -> int:
        """Returns the number of changes."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate_percent(self) -> float:
        """Returns the word error rate, which may exceed 100.

        Raises:
            ValueError: no word was said.
        """
        if self.words == 0:
            raise ValueError("there is no word error rate of 0 words")
        return 100.0 * self.count / self.words

    def plus(self, other: "WordErrors") -> "WordErrors":
        """Returns the errors of both."""
        return WordErrors(*(first + second for first, second in zip(self, other, strict=True)))


def word_errors(said: Words, heard: Words) -> WordErrors:
    """Counts the fewest changes that turn one sequence of words into another.

    Args:
        said: the true words.
        heard: the recognized words.

    Returns:
        The counts. Of several smallest sets of changes that with the most substitutions is taken.
        Levenshtein, 1966.
    """
    rows, columns = len(said) + 1, len(heard) + 1
    cost = np.zeros((rows, columns), int)
    cost[:, 0], cost[0] = np.arange(rows), np.arange(columns)
    for row in range(1, rows):
        for column in range(1, columns):
            differs = int(said[row - 1] != heard[column - 1])
            cost[row, column] = min(
                cost[row - 1, column - 1] + differs,
                cost[row - 1, column] + 1,
                cost[row, column - 1] + 1,
            )
    return _traced(cost, said, heard)


def total_errors(pairs: Sequence[tuple[Words, Words]]) -> WordErrors:
    """Counts the errors of several sequences together.

    Args:
        pairs: what was said and what was heard.

    Returns:
        The sums of all counts.
    """
    total = WordErrors()
    for said, heard in pairs:
        total = total.plus(word_errors(said, heard))
    return total


def _traced(cost: np.ndarray, said: Words, heard: Words) -> WordErrors:
    """Goes back from the end along the cheapest changes."""
    row, column = len(said), len(heard)
    substitutions = deletions = insertions = 0
    while row or column:
        differs = int(bool(row and column) and said[row - 1] != heard[column - 1])
        if row and column and cost[row, column] == cost[row - 1, column - 1] + differs:
            substitutions, row, column = substitutions + differs, row - 1, column - 1
        elif row and cost[row, column] == cost[row - 1, column] + 1:
            deletions, row = deletions + 1, row - 1
        else:
            insertions, column = insertions + 1, column - 1
    return WordErrors(substitutions, deletions, insertions, len(said))
