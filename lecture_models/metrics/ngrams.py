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


def draw_ngram_tokens(
    train: Int[np.ndarray, " token"],
    prompt: Int[np.ndarray, " start"],
    order: int,
    count: int,
    generator: np.random.Generator,
) -> Int[np.ndarray, " drawn"]:
    """Draws tokens, each among those that followed the n - 1 tokens before it.

    Where these tokens never occurred, the last of them alone are asked, down to none.

    Args:
        train: the tokens that are counted, as one sequence.
        prompt: the tokens before the first drawn one.
        order: n, at least 1.
        count: the number of tokens to draw.
        generator: draws.

    Returns:
        The drawn tokens, without the prompt.
    """
    following: dict[tuple[int, ...], list[int]] = {}
    tokens = train.tolist()
    for place, token in enumerate(tokens):
        for length in range(min(order - 1, place) + 1):
            following.setdefault(tuple(tokens[place - length : place]), []).append(token)
    drawn = prompt.tolist()
    for _ in range(count):
        context = tuple(drawn[max(len(drawn) - order + 1, 0) :]) if order > 1 else ()
        while context not in following:
            context = context[1:]
        choices = following[context]
        drawn.append(choices[int(generator.integers(len(choices)))])
    return np.array(drawn[len(prompt) :], train.dtype)
