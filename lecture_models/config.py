"""A frozen Config dataclass <-> absl flags; the only module beside launch.py that names absl."""

import difflib
from collections.abc import Iterable
from typing import Any

PRESETS = ("default", "paper", "smoke")


class UsageError(Exception):
    """A command line that cannot be run: the message is one line for the user."""


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """The nearest known name as the end of an error message; empty where none is near."""
    nearest = difflib.get_close_matches(given, list(known), n=1, cutoff=0.5)
    return f"; did you mean {nearest[0]!r}?" if nearest else "."


def as_typed(value: Any) -> str:
    """A field's value as a person types it behind the equals sign."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def require_at_least(config: Any, least: float | int, *names: str) -> None:
    """For a Config's __post_init__: raises ValueError, naming field, value and what is allowed."""
    for name in names:
        values = getattr(config, name)
        for value in values if isinstance(values, tuple) else (values,):
            if value < least:
                raise ValueError(f"--{name} is {value}; it must be at least {least}")


def require_between(config: Any, low: float | int, high: float | int, *names: str) -> None:
    """For a Config's __post_init__: the closed interval."""
    for name in names:
        value = getattr(config, name)
        if not low <= value <= high:
            raise ValueError(f"--{name} is {value}; it must be from {low} to {high}")
