"""Formats numbers and durations for people, on pages and on the terminal."""

import math


def number(value: float) -> str:
    """Returns four significant digits, or all digits of a whole number."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
    size = abs(value)
    if value == int(value) and size < 1e15:
        return f"{int(value):,}"
    if 1e-3 <= size < 1e6:
        return f"{value:,.{max(0, 3 - math.floor(math.log10(size)))}f}"
    return f"{value:.3e}"


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
