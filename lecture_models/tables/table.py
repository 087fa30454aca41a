"""A paper's or a lecture's table with ours beside it: rows, differences, verdicts."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lecture_models.runs.results import Measurement

LEGEND = {
    "equal": "ours, rounded as the published value is, is that value",
    "within spread": "trained: the means differ by no more than the larger standard deviation",
    "better": "trained: ours is better by more than that",
    "erratum": "the published value is wrong or misleading: see the remark",
    "short": "ours differs, or trained is worse by more than the spread, and nothing excuses it",
    "gap": "another protocol or data than the published value's: shown beside it, not judged",
    "not run": "there is no finished run here that answers this row",
    "ours only": "the source prints no value",
}
FACTORS = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9}


class Published(NamedTuple):
    """A value as it is printed, and where.

    `value` is None for a text. It stands for every number within `half_width` of it; `spread` is
    the standard deviation printed with it.
    """

    printed: str
    source: str
    value: float | None = None
    half_width: float = 0.0
    spread: float = 0.0


class Row(NamedTuple):
    """One line: `ours` is exact (an int), real, a text, measured, or None where nothing was run.

    `how` says how ours was obtained. An `erratum` is a sentence on what is wrong with the published
    value. `better` is "less" or "more" where ours was trained; `gap` marks another protocol than
    the published value's. `decimals` are those of a real number that is shown.
    """

    what: str
    published: Published | None
    ours: int | float | str | Measurement | None
    how: str
    erratum: str = ""
    better: str = ""
    gap: bool = False
    decimals: int = 2


class Table(NamedTuple):
    """Rows and notes; the rest is taken from the file that builds it."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    name: str = ""
    title: str = ""
    source: str = ""


class TableContext(NamedTuple):
    """What a table may look at: folders as given on the command line, and a place for one line."""

    runs_dir: Path
    weights_dir: Path | None
    data_dir: Path | None
    announce: Callable[[str], None]


def published(
    printed: str, source: str, half_width: float | None = None, spread: float = 0.0
) -> Published:
    """Reads a printed number: "1,728", "0.95 %", "3.6 G", "150K"; anything else is a text.

    It stands for what rounds to it: half a unit of the last digit. Behind K, M or G the zeros at
    the end of a whole number are no digits, so that 800K is anything from 750K to 850K. A number
    that is rounder than it looks (650,000) is given its own `half_width`.
    """
    found = re.fullmatch(r"([+-]?[\d,]+)(?:\.(\d+))?\s*([KMG]?)\s*%?", printed)
    if not found:
        return Published(printed, source)
    whole, fraction, letter = found.group(1).replace(",", ""), found.group(2), found.group(3)
    factor = FACTORS[letter]
    value = float(f"{whole}.{fraction or 0}") * factor
    if half_width is None:
        half_width = 0.5 * factor / 10 ** len(fraction or "")
        if letter and not fraction:
            half_width *= 10 ** (len(whole) - len(whole.rstrip("0")))
    return Published(printed, source, value, half_width, spread)


def number(ours: int | float | str | Measurement | None) -> float | int | None:
    """The number in a cell; None where there is none."""
    if isinstance(ours, Measurement):
        return ours.mean
    return None if isinstance(ours, str) else ours


def difference(row: Row) -> float | int | None:
    """Ours less the published value; None where one of them is no number."""
    ours = number(row.ours)
    if ours is None or row.published is None or row.published.value is None:
        return None
    value = row.published.value
    return ours - (int(value) if isinstance(ours, int) and value.is_integer() else value)


def verdict(row: Row) -> str:
    """A key of `LEGEND`. Raises ValueError for an erratum whose published value is right."""
    if row.ours is None:
        return "not run"
    if row.erratum:
        if row.published is not None and _agrees(row):
            raise ValueError(f"{row.what}: {row.published.printed} is no erratum: ours is equal")
        return "erratum"
    if row.published is None:
        return "ours only"
    if row.gap:
        return "gap"
    if isinstance(row.ours, Measurement):
        return _trained_verdict(row, row.ours, row.published)
    return "equal" if _agrees(row) else "short"


def _agrees(row: Row) -> bool:
    gap = difference(row)
    if gap is None:
        return row.ours == row.published.printed
    # A last bit of rounding must not part 26.97 from 26.965.
    return abs(gap) <= row.published.half_width * (1.0 + 1e-9)


def _trained_verdict(row: Row, ours: Measurement, paper: Published) -> str:
    if row.better not in ("less", "more"):
        raise ValueError(f"{row.what}: better is {row.better!r}; allowed: 'less' or 'more'")
    if ours.std is None:
        raise ValueError(f"{row.what}: one run is no cell of a paper's table; mark it as a gap")
    gain = (ours.mean - paper.value) * (1.0 if row.better == "more" else -1.0)
    if abs(gain) <= max(ours.std, paper.spread, paper.half_width):
        return "within spread"
    return "better" if gain > 0 else "short"
