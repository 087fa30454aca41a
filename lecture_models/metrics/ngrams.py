"""Computes the likelihood of a sequence under a table of n-grams, the baseline without a net."""

import numpy as np
from jaxtyping import Int


def ngram_nats(
    train: Int[np.ndarray, " token"],
    test: Int[np.ndarray, " asked"],
    vocabulary: int,
    order: int,
    added: float = 0.1,
) -> float:
    """Returns the mean negative log-likelihood of tokens under counts of n-grams.

    p(x_t | c) = (count(c, x_t) + a) / (count(c) + a V), where c are the n - 1 tokens before x_t.

    Args:
        train: the tokens that are counted, as one sequence.
        test: the tokens that are predicted, as one sequence; those before the n-th are skipped.
        vocabulary: the number V of different tokens.
        order: n, at least 1; 1 ignores the tokens before.
        added: the count a that every n-gram has in advance (Lidstone's smoothing).

    Returns:
        Nats per token; ln V if nothing was counted.

    Raises:
        ValueError: a sequence has less than n tokens, or V^n is too large for 63 bits.
    """
    if min(len(train), len(test)) < order or vocabulary**order >= 2**63:
        raise ValueError(
            f"{order}-grams of {vocabulary} tokens from {len(train)} and {len(test)} tokens cannot "
            "be counted"
        )
    counted, asked = (_codes(tokens, vocabulary, order) for tokens in (train, test))
    contexts = _lookup(counted // vocabulary, asked // vocabulary)
    whole = _lookup(counted, asked)
    return float(-np.log((whole + added) / (contexts + added * vocabulary)).mean())


def _codes(tokens: np.ndarray, vocabulary: int, order: int) -> np.ndarray:
    """Returns each n-gram as one number, whose last digit in base V is its last token."""
    count = len(tokens) - order + 1
    codes = np.zeros(count, np.int64)
    for place in range(order):
        codes = codes * vocabulary + tokens[place : place + count]
    return codes


def _lookup(counted: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Returns how often each of the asked numbers is among the counted ones."""
    values, counts = np.unique(counted, return_counts=True)
    places = np.minimum(np.searchsorted(values, asked), len(values) - 1)
    return np.where(values[places] == asked, counts[places], 0)
