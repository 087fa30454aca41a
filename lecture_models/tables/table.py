"""Compares a table of a paper or a lecture with our values: rows, differences, verdicts."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lecture_models.runs.results import Measurement

LEGEND = {
    "equal": "ours equals the published value when rounded to its digits",
    "within spread": "trained; the means differ by at most the larger standard deviation",
    "better": "trained; ours is better by more than the larger standard deviation",
    "erratum": "the published value is wrong or misleading; see the remark",
    "short": "ours differs; if trained, it is worse by more than the larger standard deviation",
    "gap": "ours has another protocol or other data than the published value; shown, not judged",
    "not run": "no finished run here fills this row",
    "ours only": "the source prints no value",
}
FACTORS = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9}


class PublishedValue(NamedTuple):
    """Holds a value as it was printed.

    Attributes:
        printed: the text.
        source: where it was printed.
        value: the number; None for a text.
        half_width: the value stands for every number at most this far from it.
        spread: standard deviation that was printed with the value; 0 if none was.
    """

    printed: str
    source: str
    value: float | None = None
    half_width: float = 0.0
    spread: float = 0.0


class Extra(NamedTuple):
    """Holds a further property of a row, which has a column of its own.

    Attributes:
        name: the heading of the column; a row without this name shows "-".
        value: as `TableRow.ours`.
        decimals: number of decimals when a real number is printed.
    """

    name: str
    value: int | float | str | Measurement | None
    decimals: int = 2


class TableRow(NamedTuple):
    """Describes one row.

    Attributes:
        label: what the row is about; unique in its table.
        published: the printed value; None if the source prints none.
        ours: an exact count (int), a real number, a text or a measurement; None if nothing was run.
        how: how ours was obtained, or why it was not.
        erratum: what is wrong with the published value; "" if nothing is.
        better: "less" or "more" if ours was trained, else "".
        gap: whether ours has another protocol than the published value.
        decimals: number of decimals when a real number is printed.
        extras: further properties.
    """

    label: str
    published: PublishedValue | None
    ours: int | float | str | Measurement | None
    how: str
    erratum: str = ""
    better: str = ""
    gap: bool = False
    decimals: int = 2
    extras: tuple[Extra, ...] = ()


class Table(NamedTuple):
    """Holds rows and notes; name, title and source are taken from the file that builds it."""

    rows: tuple[TableRow, ...]
    notes: tuple[str, ...] = ()
    name: str = ""
    title: str = ""
    source: str = ""


class TableContext(NamedTuple):
    """Holds what a table may use.

    Attributes:
        runs_dir: folder of the runs.
        weights_dir: folder of pretrained weights; None for the default.
        data_dir: folder of data sets; None for the default.
        announce: prints one line for the user.
    """

    runs_dir: Path
    weights_dir: Path | None
    data_dir: Path | None
    announce: Callable[[str], None]


def published(
    printed: str, source: str, half_width: float | None = None, spread: float = 0.0
) -> PublishedValue:
    """Reads a printed number such as "1,728", "0.95 %", "3.6 G" or "150K"; keeps any other text.

    A number stands for everything that rounds to it: half a unit of its last digit. Before K, M or
    G, trailing zeros of a whole number do not count as digits: 800K is from 750K to 850K.

    Args:
        printed: the text.
        source: where it was printed.
        half_width: replaces the half unit for a number that is rounder than it looks (650,000).
        spread: standard deviation that was printed with the value; 0 if none was.
    """
    match = re.fullmatch(r"([+-]?[\d,]+)(?:\.(\d+))?\s*([KMG]?)\s*%?", printed)
    if not match:
        return PublishedValue(printed, source)
    whole, fraction, letter = match.group(1).replace(",", ""), match.group(2), match.group(3)
    factor = FACTORS[letter]
    value = float(f"{whole}.{fraction or 0}") * factor
    if half_width is None:
        half_width = 0.5 * factor / 10 ** len(fraction or "")
        if letter and not fraction:
            half_width *= 10 ** (len(whole) - len(whole.rstrip("0")))
    return PublishedValue(printed, source, value, half_width, spread)


def number(ours: int | float | str | Measurement | None) -> float | int | None:
    """Returns the number in a cell, the mean of a measurement; None for a text or nothing."""
    if isinstance(ours, Measurement):
        return ours.mean
    return None if isinstance(ours, str) else ours


def difference(row: TableRow) -> float | int | None:
    """Returns ours minus the published value; None unless both are numbers."""
    ours = number(row.ours)
    if ours is None or row.published is None or row.published.value is None:
        return None
    value = row.published.value
    return ours - (int(value) if isinstance(ours, int) and value.is_integer() else value)


def verdict(row: TableRow) -> str:
    """Returns a key of LEGEND.

    Raises ValueError for an erratum whose published value agrees with ours, and for a measurement
    that cannot be judged.
    """
    if row.ours is None:
        return "not run"
    if row.erratum:
        if row.published is not None and _agrees(row):
            printed = row.published.printed
            raise ValueError(f"{row.label}: {printed} is not an erratum: ours is equal")
        return "erratum"
    if row.published is None:
        return "ours only"
    if row.gap:
        return "gap"
    if isinstance(row.ours, Measurement):
        return _trained_verdict(row, row.ours, row.published)
    return "equal" if _agrees(row) else "short"


def _agrees(row: TableRow) -> bool:
    gap = difference(row)
    if gap is None:
        return row.ours == row.published.printed
    # Rounding of floats must not separate 26.97 from 26.965.
    return abs(gap) <= row.published.half_width * (1.0 + 1e-9)


def _trained_verdict(row: TableRow, ours: Measurement, paper: PublishedValue) -> str:
    if row.better not in ("less", "more"):
        raise ValueError(f"{row.label}: better is {row.better!r}; allowed: 'less' or 'more'")
    if ours.std is None:
        raise ValueError(f"{row.label}: a single run cannot fill a paper's cell; mark it as a gap")
    gain = (ours.mean - paper.value) * (1.0 if row.better == "more" else -1.0)
    if abs(gain) <= max(ours.std, paper.spread, paper.half_width):
        return "within spread"
    return "better" if gain > 0 else "short"
