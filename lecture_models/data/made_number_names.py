"""Makes pairs of sentences: numbers written out in German, and the same in English.

They stand in where no real translations are. A net must change the order of words, "drei und
zwanzig" is "twenty three", and must carry each digit to its place.
"""

import itertools

import numpy as np

from lecture_models.data.dataset import Dataset, Provenance
from lecture_models.data.sentence_pairs import sentence_pairs

# fmt: off
_GERMAN = (
    "null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn",
    "elf", "zwölf", "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn",
    "neunzehn",
)
_ENGLISH = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)
_GERMAN_TENS = (
    "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig",
)
_ENGLISH_TENS = (
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)
_GERMAN_THINGS = (
    "äpfel", "bücher", "hunde", "häuser", "kinder", "lieder", "bäume", "züge",
)
_ENGLISH_THINGS = (
    "apples", "books", "dogs", "houses", "children", "songs", "trees", "trains",
)
# fmt: on
_SIZES = (4_000, 200, 400)  # Of the three splits.
LARGEST = 999_999


def make(seed: int = 0) -> Dataset:
    """Returns 4,600 pairs, the same for the same seed; no number is in two splits."""
    generator = np.random.default_rng(seed)
    numbers = generator.permutation(LARGEST - 1)[: sum(_SIZES)] + 2
    things = generator.integers(len(_GERMAN_THINGS), size=len(numbers))
    source = [
        f"{german(int(number))} {_GERMAN_THINGS[thing]} ."
        for number, thing in zip(numbers, things, strict=True)
    ]
    target = [
        f"{english(int(number))} {_ENGLISH_THINGS[thing]} ."
        for number, thing in zip(numbers, things, strict=True)
    ]
    ends = np.cumsum((0, *_SIZES))
    splits = [
        sentence_pairs(source[begin:end], target[begin:end])
        for begin, end in itertools.pairwise(ends)
    ]
    note = f"{len(numbers):,} numbers written out, German to English"
    return Dataset(*splits, (), Provenance("made_number_names", "made by a rule", (), note))


def german(number: int) -> str:
    """Returns a number below a million in German, its parts as words of their own."""
    if number >= 1_000:
        rest = f" {german(number % 1_000)}" if number % 1_000 else ""
        return f"{_german_prefix(number // 1_000)} tausend{rest}"
    if number >= 100:
        rest = f" {german(number % 100)}" if number % 100 else ""
        return f"{_german_prefix(number // 100)} hundert{rest}"
    if number < 20:
        return _GERMAN[number]
    tens = _GERMAN_TENS[number // 10 - 2]
    return f"{_german_prefix(number % 10)} und {tens}" if number % 10 else tens


def english(number: int) -> str:
    """Returns a number below a million in English, its parts as words of their own."""
    if number >= 1_000:
        rest = f" {english(number % 1_000)}" if number % 1_000 else ""
        return f"{english(number // 1_000)} thousand{rest}"
    if number >= 100:
        rest = f" {english(number % 100)}" if number % 100 else ""
        return f"{_ENGLISH[number // 100]} hundred{rest}"
    if number < 20:
        return _ENGLISH[number]
    tens = _ENGLISH_TENS[number // 10 - 2]
    return f"{tens} {_ENGLISH[number % 10]}" if number % 10 else tens


def _german_prefix(number: int) -> str:
    """Returns a number as it stands before another word: "ein", not "eins"."""
    return german(number).removesuffix("s") if number % 100 == 1 else german(number)
