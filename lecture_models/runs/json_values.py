"""Reads values of parsed JSON whose types are not known, without raising an error."""

import math
from typing import Any


def as_number(value: Any) -> float | None:
    """Returns a number as a float, and None for anything else.

    Booleans are not numbers. The strings "NaN", "Infinity" and "-Infinity", which strict JSON has
    for values that are not finite, are numbers.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and value.lstrip("+-") not in ("NaN", "Infinity"):
        return None
    try:
        return float(value)
    except OverflowError:  # JSON does not limit the size of integers.
        return math.inf


def as_object(value: Any) -> dict[str, Any]:
    """Returns a JSON object, and {} for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """Returns a JSON array, and [] for anything else."""
    return value if isinstance(value, list) else []
