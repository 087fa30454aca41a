"""Formats numbers and durations for people, on pages and on the terminal.

`templates/numbers.js` formats numbers by the same rules in the browser.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

DIGITS = 4  # Significant digits of a number, unless its neighbors need more.
MOST_DIGITS = 9  # A float32 has no more.
FEWEST = -400  # Decimals: none are asked for. Negative ones count digits before the point.
WIDEST = 12  # Digits of a mean that is shown beside its standard deviation.


def number(value: float, decimals: int = FEWEST) -> str:
    """Returns four significant digits, or all digits of a whole number.

    Args:
        value: the number.
        decimals: at least so many digits after the point are shown, but at most 9 significant
            digits; `apart` returns how many tell several numbers apart.
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
    if not _is_whole(value):
        value = float(f"{value:.{MOST_DIGITS}g}")  # 1.000000000001 is shown as 1.
    if value == 0 or (_is_whole(value) and decimals <= 0):
        return f"{int(value):,}"
    power = _power(value)
    shown = max(min(decimals, MOST_DIGITS - 1 - power), DIGITS - 1 - power)
    if -4 <= power < 6 or (decimals >= 0 and 6 <= power < MOST_DIGITS):
        return f"{value:,.{max(0, shown)}f}"
    mantissa, exponent = f"{value:.{power + shown}e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def apart(values: Iterable[float | None]) -> int:
    """Returns how many decimals `number` needs so that no two different values look equal.

    Values that are equal in their first nine digits count as equal. Returns FEWEST if the digits
    that `number` shows anyway suffice.
    """
    rounded = {float(f"{value:.{MOST_DIGITS}g}") for value in values if _is_finite(value)}
    return max(itertools.starmap(_needed, itertools.pairwise(sorted(rounded))), default=FEWEST)


def alike(values: Sequence[float | None], absent: str = "-") -> list[str]:
    """Returns numbers with as many digits as tell them apart; `absent` for None."""
    decimals = apart(values)
    return [absent if value is None else number(value, decimals) for value in values]


def cells(values: Sequence[Any], absent: str = "-") -> list[str]:
    """Returns a column of a table as texts: settings, which may be of any type.

    A number that four digits write exactly is written so, such as 0.0003; others as by `number`.
    """
    decimals = apart(value for value in values if isinstance(value, float))
    return [_cell(value, decimals, absent) for value in values]


def with_spread(mean: float, std: float) -> tuple[str, str]:
    """Returns a mean and its standard deviation, with at least two digits of the latter in both."""
    if not std or not math.isfinite(std) or not math.isfinite(mean):
        return number(mean), number(std)
    size, power = _power(std), _power(mean) if mean else _power(std) + 2
    decimals = max(0, 1 - size, min(DIGITS - 1 - power, DIGITS - 1 - size))
    if power < 6 and decimals + max(0, power) < WIDEST and max(power, size) >= -4:
        return f"{mean:,.{decimals}f}", f"{std:,.{decimals}f}"
    return number(mean, -size), number(std)


def exact(values: Sequence[Any]) -> list[str]:
    """Returns floats with eight digits, or with all digits if different ones look equal.

    Other values are shown as `cells` shows them.
    """
    floats = {value for value in values if isinstance(value, float)}
    is_short = len({f"{value:.8g}" for value in floats}) == len(floats)
    write = "{:.8g}".format if is_short else repr
    return [
        write(value) if isinstance(value, float) else _cell(value, FEWEST, "-") for value in values
    ]


def signed(gap: float | None) -> str:
    """Returns a difference with its sign and three digits, "0" for none, "-" if it is not known."""
    if gap is None:
        return "-"
    return f"{gap:+.3g}" if gap else "0"


def _needed(low: float, high: float) -> int:
    """Returns the decimals that tell two neighbors apart, FEWEST if `number` does."""
    gap = high - low
    if _is_whole(low) and _is_whole(high):
        return FEWEST
    if math.log10(gap) > max(map(_power, (low, high))) - DIGITS + 1 - 1e-6:
        return FEWEST
    decimals = math.ceil(-math.log10(gap) - 1e-6)
    # Both may be rounded to the number between them.
    return decimals + (number(low, decimals) == number(high, decimals))


def _cell(value: Any, decimals: int, absent: str) -> str:
    if value is None:
        return absent
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    if not isinstance(value, float):
        return str(value)
    if not math.isfinite(value) or float(f"{value:.{DIGITS}g}") != value:
        return number(value, decimals)
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return f"{Decimal(repr(value)).normalize():f}"
    return repr(value).replace("e-0", "e-").removesuffix(".0")


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _is_whole(value: float) -> bool:
    return abs(value) < 1e15 and value == int(value)


def _power(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else FEWEST


def duration(seconds: float) -> str:
    """Returns a time as text: "3.4 s", "40 s", "12 min 5 s", "3 h 05 min"; "" if not finite."""
    if not math.isfinite(seconds):
        return ""
    if round(seconds, 1) < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min"
