"""Judges whether texts are tunes in ABC notation, and whether their bars fit their meter."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from lecture_models.data.abc_notation import AbcError, Tune, read_tune


class TuneScores(NamedTuple):
    """Counts what was found in texts.

    Attributes:
        texts: the number of texts.
        valid: how many of them are tunes that can be read.
        bars: the number of bars in these tunes that a meter demands to be full: those inside of a
            part, since the first and last bar of a part may be incomplete.
        full: how many of these bars have the length of the meter.
        reasons: how often each reason made a text no tune, without places and quotations.
    """

    texts: int
    valid: int
    bars: int
    full: int
    reasons: Counter[str]

    @property
    def valid_percent(self) -> float:
        """Returns the share of valid tunes; 0 where there are no texts."""
        return 100.0 * self.valid / max(self.texts, 1)

    @property
    def full_percent(self) -> float:
        """Returns the share of full bars; 0 where there are no bars to judge."""
        return 100.0 * self.full / max(self.bars, 1)


def first_tune(text: str) -> str:
    """Returns a text up to its first empty line; "" where it has none, so that it has not ended.

    Args:
        text: the text.

    Returns:
        The lines before the empty line.
    """
    before, ended, _ = text.partition("\n\n")
    return before if ended else ""


def score_tunes(texts: Sequence[str]) -> TuneScores:
    """Returns the scores of texts, each of which should be one tune.

    Args:
        texts: the texts.

    Returns:
        The counts.
    """
    reasons: Counter[str] = Counter()
    tunes: list[Tune] = []
    for text in texts:
        try:
            tunes.append(read_tune(text))
        except AbcError as error:
            reasons["the end is missing" if not text else _general(str(error))] += 1
    bars = [bar for tune in tunes for bar in tune.bars if bar.inner and bar.meter is not None]
    full = sum(bar.is_full for bar in bars)
    return TuneScores(len(texts), len(tunes), len(bars), full, reasons)


def _general(reason: str) -> str:
    """Returns a reason without the place where it was found."""
    return "a character has no meaning" if "has no meaning" in reason else reason.partition(";")[0]
