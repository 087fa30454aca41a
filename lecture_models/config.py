"""Defines what the Configs of all experiments share, and the errors of the command line."""

import dataclasses
import difflib
from collections.abc import Iterable
from typing import Any

PRESETS = ("default", "paper", "smoke")
MAX_SEED = 2**32 - 1  # jax uses the lowest 32 bits only: a larger seed would repeat a smaller one.

# Words that users try for the pictures that an experiment is about, and the flags that name them.
_PICTURE_WORDS = ("image", "picture", "pictures", "photo", "photos")
_PICTURE_FLAGS = ("images", "content", "texture")


class UsageError(Exception):
    """Tells the user, in one line, why a command line cannot be run."""


def did_you_mean(name: str, known: Iterable[str], cutoff: float = 0.5) -> str:
    """Returns the end of an error message about an unknown name: the nearest known name.

    Returns a full stop if no known name is near: if none has a similarity of at least `cutoff`,
    from 0 to 1.
    """
    known = list(known)
    nearest = [flag for flag in _PICTURE_FLAGS if flag in known and name in _PICTURE_WORDS]
    nearest = nearest or difflib.get_close_matches(name, known, n=1, cutoff=cutoff)
    return f"; did you mean {nearest[0]!r}?" if nearest else "."


def as_typed(value: Any) -> str:
    """Returns the value of a field as it is typed after `--FIELD=`."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def as_json_values(config: Any) -> dict[str, Any]:
    """Returns the fields of a Config in the values that JSON gives back: tuples become lists."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in dataclasses.asdict(config).items()
    }


def default_values(config: Any) -> dict[str, Any]:
    """Returns the defaults of the fields of a Config, in the values that JSON gives back."""
    return as_json_values(type(config)())


def require_at_least(config: Any, least: float | int, *names: str) -> None:
    """Checks fields in a Config's `__post_init__`, and each element of a field that is a tuple.

    Raises ValueError, with field, value and limit, if a value is below `least`.
    """
    for name in names:
        values = getattr(config, name)
        for value in values if isinstance(values, tuple) else (values,):
            if value < least:
                raise ValueError(f"--{name} is {value}; it must be at least {least}")


def require_single(config: Any, *names: str) -> None:
    """Checks in a Config's `__post_init__` that fields that are tuples have exactly one element.

    Raises ValueError, with field and number of elements, otherwise.
    """
    for name in names:
        count = len(getattr(config, name))
        if count != 1:
            raise ValueError(f"--{name} has {count} values; it must have 1")


def require_between(config: Any, low: float | int, high: float | int, *names: str) -> None:
    """Checks fields in a Config's `__post_init__`, and each element of a field that is a tuple.

    Raises ValueError, with field, value and limits, if a value is outside of [low, high].
    """
    for name in names:
        values = getattr(config, name)
        for value in values if isinstance(values, tuple) else (values,):
            if not low <= value <= high:
                raise ValueError(f"--{name} is {value}; it must be from {low} to {high}")
