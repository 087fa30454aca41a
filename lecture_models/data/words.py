"""Cuts texts into words, and numbers the words that a training split has often enough.

The rules are close to those of Kim's CNN_sentence and of tools for tweets: lower case; `@name`, web
addresses, `#`, emoticons, emoji and marks of punctuation are words of their own; "n't" and "'s" are
split off.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Int32

from lecture_models.data.ragged import Ragged

UNKNOWN = "<unknown>"  # Number 0: every word that the vocabulary lacks.
MOST_REPEATS = 3  # A character that repeats more often, as in "sooooo", is cut to so many.

_WORD = re.compile(
    r"""
    https?(?:://\S*)?\b/?                   # Web addresses.
    | @\w+                                  # Names of users.
    | [<>]?[:;=][-o*']?[)\](\[dDpP/:3|\\]+  # Emoticons, such as :-)
    | <3+
    | \w+?(?=n't\b) | n't\b                 # does | n't
    | '(?:s|re|ve|d|ll|m)\b
    | \w+(?:'\w+)*?(?=n't\b|'(?:s|re|ve|d|ll|m)\b|\b)
    | [^\w\s]                               # A mark of punctuation, an emoji.
    """,
    re.VERBOSE,
)
# A number with its marks, a word with its hyphens and apostrophes, or a mark.
_SENTENCE_WORD = re.compile(r"\d+(?:[.,:]\d+)+|\w+(?:['\u2019-]\w+)*|[^\w\s]")
_REPEATED = re.compile(rf"(\S)\1{{{MOST_REPEATS},}}")
# Selectors of a glyph's form, joiners of emoji, and other characters without a glyph of their own.
_INVISIBLE = re.compile("[\ufe00-\ufe0f\u200b-\u200f\u2060\ufeff]")


def split_words(text: str, most: int | None = None) -> list[str]:
    """Returns the words of a text in their order.

    Args:
        text: the text.
        most: the words after so many are left out; None for no limit.
    """
    clean = _INVISIBLE.sub("", text.lower()).replace("\u2019", "'")  # A curved apostrophe.
    clean = _REPEATED.sub(r"\1" * MOST_REPEATS, clean)
    words: list[str] = []
    for match in _WORD.finditer(clean):
        if len(words) == most:
            break
        word = match[0]
        words.append("http" if word.startswith("http") else word)
    return words


def split_sentence(text: str) -> list[str]:
    """Returns the words of a sentence, in lower case, so that joined by blanks they read well.

    Unlike `split_words` it keeps "don't" and "t-shirt" whole, as BLEU's tokenizer 13a does: a
    sentence has the same n-grams before and after.
    """
    return _SENTENCE_WORD.findall(_INVISIBLE.sub("", text.lower()))


def count_words(texts: Iterable[Sequence[str]]) -> Counter[str]:
    """Returns how often each word occurs in texts that are cut into words."""
    return Counter(word for text in texts for word in text)


def make_vocabulary(counts: Counter[str], least: int) -> tuple[str, ...]:
    """Returns UNKNOWN and the words that occur often enough, the most frequent first.

    Args:
        counts: how often each word occurs in the training texts.
        least: how often a word must occur to have a number of its own.
    """
    words = [word for word, count in counts.items() if count >= least and word != UNKNOWN]
    return (UNKNOWN, *sorted(words, key=lambda word: (-counts[word], word)))


def number_words(texts: Iterable[Sequence[str]], vocabulary: tuple[str, ...]) -> Ragged:
    """Returns the numbers of the words of texts; a text without words is one UNKNOWN.

    Args:
        texts: at least one, cut into words.
        vocabulary: the words of numbers 0, 1, ...
    """
    numbers = {word: number for number, word in enumerate(vocabulary)}

    def numbered(text: Sequence[str]) -> Int32[np.ndarray, " word"]:
        return np.array([numbers.get(word, 0) for word in text] or [0], np.int32)

    return Ragged.from_sequences(map(numbered, texts))
