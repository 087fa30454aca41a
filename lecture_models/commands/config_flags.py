"""Turns the fields of a Config into absl flags, and parsed flags into a Config."""

import dataclasses
import inspect
import math
import re
import types
import typing
from typing import Any

from absl import flags

from lecture_models.config import MAX_SEED, UsageError, did_you_mean
from lecture_models.runs import renames

# Devices count steps, examples and sizes in 32 bits.
SMALLEST_INTEGER, LARGEST_INTEGER = -(2**31), 2**31 - 1
_LONGEST_VALUE = 100  # Characters of a wrong value in a message.


class Option(typing.NamedTuple):
    """Describes one field of a Config, as `--help` shows it."""

    name: str
    type_name: str
    default: Any
    reason: str


def options(config_class: type) -> list[Option]:
    """Returns each field with its type, its default, and the reason from its comment."""
    reasons = _reasons(config_class)
    hints = typing.get_type_hints(config_class)
    return [
        Option(
            field.name, _type_name(hints[field.name]), field.default, reasons.get(field.name, "")
        )
        for field in dataclasses.fields(config_class)
    ]


def parse(
    flag_values: flags.FlagValues, argv: list[str], config_class: type | None = None
) -> list[str]:
    """Parses all flags, and returns the words that are not flags.

    Raises UsageError for a wrong value, and for an unknown flag, with its new name if it is an old
    one, else with the nearest name, or else with the fields of `config_class`.
    """
    flag_values.unparse_flags()
    try:
        return flag_values(argv)[1:]
    except flags.Error as error:
        raise usage_error(error, flag_values, config_class) from error


def usage_error(
    error: flags.Error, flag_values: flags.FlagValues, config_class: type | None = None
) -> UsageError:
    """Returns the error of a flag in this project's words, with what is allowed."""
    if isinstance(error, flags.UnrecognizedFlagError):
        current = renames.current_name(error.flagname, flag_values)
        hint = (
            f"; it is now --{current}"
            if current
            else _hint(error.flagname, flag_values, config_class)
        )
        return UsageError(f"there is no flag --{error.flagname}{hint}")
    match = re.match(r"flag --(\w+)=(.*?): ", str(error), re.DOTALL)
    if match is None or match[1] not in flag_values:
        return UsageError(str(error))
    parser = flag_values[match[1]].parser
    choices = getattr(parser, "enum_values", None)
    allowed = (
        f"one of {', '.join(choices)}" if choices else parser.syntactic_help or "true or false"
    )
    return UsageError(f"--{match[1]} is {_shortened(match[2]) or 'empty'}; it must be {allowed}")


def _hint(name: str, flag_values: flags.FlagValues, config_class: type | None) -> str:
    """Returns the end of the message about an unknown flag: the nearest one, or the fields."""
    fields = [] if config_class is None else [option.name for option in options(config_class)]
    # The launcher has many short flags, of which one is always a little similar.
    for known, cutoff in ((fields, 0.5), (flag_values, 0.6)):
        if (near := did_you_mean(name, known, cutoff)) != ".":
            return near
    return f"; this experiment has {', '.join(f'--{field}' for field in fields)}" if fields else "."


def _shortened(value: str) -> str:
    rest = len(value) - _LONGEST_VALUE
    return value if rest <= 0 else f"{value[:_LONGEST_VALUE]}... ({rest:,} more characters)"


def define_config_flags(config_class: type, flag_values: flags.FlagValues) -> None:
    """Defines a flag of the same name and type for each field.

    Raises TypeError for a field without a default, or of a type that a flag cannot have.
    """
    hints = typing.get_type_hints(config_class)
    for option in options(config_class):
        if option.default is dataclasses.MISSING:
            raise TypeError(f"{config_class.__qualname__}.{option.name} has no default")
        define = _definer(hints[option.name], option.name)
        define(option.name, None, option.reason, flag_values=flag_values)


def overrides(module: types.ModuleType, preset: str) -> dict[str, Any]:
    """Returns the fields that a preset of an experiment changes.

    Raises UsageError for a preset that the experiment does not have: one for which no recipe has
    been published has no preset "paper".
    """
    if preset == "default":
        return {}
    if not hasattr(module, preset.upper()):
        name = module.__name__.rpartition(".")[2]
        raise UsageError(
            f"--preset is {preset}, which {name} does not have, because no recipe has been "
            "published; allowed: default, smoke"
        )
    return getattr(module, preset.upper())


def make_config(
    config_class: type, overrides: dict[str, Any], flag_values: flags.FlagValues
) -> Any:
    """Returns a Config: its defaults, changed by a preset, changed by the flags that were given.

    Args:
        config_class: the Config.
        overrides: the fields that the preset changes.
        flag_values: the parsed flags.

    Returns:
        The Config.

    Raises:
        UsageError: if the Config does not accept a value.
    """
    values = dict(overrides)
    hints = typing.get_type_hints(config_class)
    for field in dataclasses.fields(config_class):
        if flag_values[field.name].present:
            values[field.name] = _convert(field.name, hints[field.name], flag_values[field.name])
    for name, value in values.items():
        for element in value if isinstance(value, tuple) else (value,):
            _require_representable(name, element)
    try:
        return config_class(**values)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _require_representable(name: str, value: Any) -> None:
    """Raises UsageError for a number that a run could not compute with, or would truncate."""
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"--{name} is {value}; it must be a finite number")
    if not isinstance(value, int):
        return
    low, high = (0, MAX_SEED) if name == "seed" else (SMALLEST_INTEGER, LARGEST_INTEGER)
    if value < low or value > high:
        limit = f"at least {low}" if value < low else f"at most {high}"
        raise UsageError(f"--{name} is {_shortened(str(value))}; it must be {limit}")


def _convert(name: str, hint: Any, flag: flags.Flag) -> Any:
    if typing.get_origin(hint) is not tuple:
        return flag.value
    element = typing.get_args(hint)[0]
    try:
        return tuple(element(part) for part in flag.value)
    except ValueError as error:
        typed = ",".join(flag.value)
        raise UsageError(
            f"--{name} is {typed}; it must be {_type_name(hint)}, separated by commas"
        ) from error


def _definer(hint: Any, name: str) -> Any:
    hint = _without_none(hint)
    if typing.get_origin(hint) is tuple:
        return flags.DEFINE_list
    definers = {
        bool: flags.DEFINE_bool,
        int: flags.DEFINE_integer,
        float: flags.DEFINE_float,
        str: flags.DEFINE_string,
    }
    if hint not in definers:
        raise TypeError(f"field {name} has type {hint}; it must be bool, int, float, str or tuple")
    return definers[hint]


def _without_none(hint: Any) -> Any:
    if isinstance(hint, types.UnionType):
        (hint,) = (member for member in typing.get_args(hint) if member is not type(None))
    return hint


def _type_name(hint: Any) -> str:
    hint = _without_none(hint)
    if typing.get_origin(hint) is tuple:
        return f"{typing.get_args(hint)[0].__name__}s"
    return hint.__name__


def _reasons(config_class: type) -> dict[str, str]:
    """Returns the comment of each field.

    A field that a derived class restates without a comment keeps that of the base class.
    """
    reasons: dict[str, str] = {}
    for base in reversed(config_class.__mro__[:-1]):
        reasons |= {name: why for name, why in _own_reasons(base).items() if why}
    return reasons


def _own_reasons(config_class: type) -> dict[str, str]:
    """Returns the comment after each field, or else the comment lines right above it."""
    reasons: dict[str, str] = {}
    above: list[str] = []
    for line in inspect.getsource(config_class).splitlines():
        field = re.match(r"\s+(\w+)\s*:[^#]*?(?:#\s*(.*))?$", line)
        comment = re.match(r"\s+#\s*(.*)$", line)
        if comment:
            above.append(comment.group(1))
            continue
        if field:
            reasons[field.group(1)] = field.group(2) or " ".join(above)
        above = []
    return reasons
