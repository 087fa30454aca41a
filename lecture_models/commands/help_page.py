"""Prints the help of an experiment: its docstring, fields, presets, and the launcher's flags."""

import textwrap
from types import ModuleType

from lecture_models.commands.config_flags import options, overrides
from lecture_models.commands.discovery import docstring
from lecture_models.commands.flags import help_lines, shared_help_lines
from lecture_models.config import PRESETS, as_typed

_WIDTH = 100


def show_help(name: str, module: ModuleType, command: str = "run") -> None:
    """Prints the help of an experiment.

    Args:
        name: the experiment.
        module: its module.
        command: "run", or "sweep" to print the flags of a sweep as well.
    """
    print(f"{docstring(module)}\n")
    fields = [
        (f"--{option.name} ({option.type_name}, {as_typed(option.default)})", option.reason)
        for option in options(module.Config)
    ]
    show_flags(f"fields of --experiment={name}", fields)
    presets = [
        (f"--preset={preset}", _changes(module, preset))
        for preset in PRESETS[1:]
        if hasattr(module, preset.upper())
    ]
    show_flags("\npresets", presets)
    show_flags("\nflags of every experiment", sorted([*shared_help_lines(), *help_lines("run")]))
    if command == "sweep":
        show_flags("\nflags of a sweep", help_lines("sweep"))


def show_flags(title: str, flags: list[tuple[str, str]]) -> None:
    """Prints a title, and each flag with its text, wrapped to the width of a page."""
    print(f"{title}:")
    for flag, text in flags:
        line = f"  {flag}  {text}".rstrip()
        indent = " " * 6
        print(
            textwrap.fill(
                line,
                _WIDTH,
                subsequent_indent=indent,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )


def _changes(module: ModuleType, preset: str) -> str:
    changes = overrides(module, preset).items()
    return " ".join(f"--{field}={as_typed(value)}" for field, value in changes)
