"""Describes one flag of the launcher, and defines it with its parser."""

from pathlib import Path
from typing import Any, NamedTuple

from absl import flags

from lecture_models.commands.config_flags import LARGEST_INTEGER, SMALLEST_INTEGER
from lecture_models.config import UsageError
from lecture_models.files import PathError, local_path


class LauncherFlag(NamedTuple):
    """Describes a flag.

    Attributes:
        name: the name, without dashes.
        default: the default; None if the flag need not have a value.
        text: the help.
        choices: the allowed values, if not every value of the type is allowed.
        alone: the value that the flag has if it is given without one; one of the choices.
        kind: the type; needed if the default is None and the value is not a text. A Path has its
            ~ expanded, and is refused if it is not on this machine.
    """

    name: str
    default: str | int | float | bool | Path | None
    text: str
    choices: tuple[str, ...] = ()
    alone: str = ""
    kind: type | None = None

    @property
    def value_type(self) -> type:
        """Returns the type of the value."""
        return self.kind or (str if self.default is None else type(self.default))


def define(values: flags.FlagValues, flag: LauncherFlag) -> None:
    """Adds a flag to others. A path that is not on this machine raises UsageError when parsed."""
    if flag.alone:
        parser = _AloneParser(flag.choices, flag.alone)
        defined = flags.Flag(parser, None, flag.name, flag.default, flag.text, boolean=True)
        flags.DEFINE_flag(defined, flag_values=values)
        return
    if flag.choices:
        flags.DEFINE_enum(flag.name, flag.default, flag.choices, flag.text, flag_values=values)
        return
    if isinstance(flag.default, bool):
        short = "h" if flag.name == "help" else None
        flags.DEFINE_bool(flag.name, flag.default, flag.text, short_name=short, flag_values=values)
        return
    if issubclass(flag.value_type, Path):
        parser = _PathParser(flag.name)
        defined = flags.Flag(parser, None, flag.name, flag.default, flag.text)
        flags.DEFINE_flag(defined, flag_values=values)
        return
    definers = {int: _define_integer, float: flags.DEFINE_float}
    definer = definers.get(flag.value_type, flags.DEFINE_string)
    definer(flag.name, flag.default, flag.text, flag_values=values)


def _define_integer(*arguments: Any, flag_values: flags.FlagValues) -> None:
    flags.DEFINE_integer(*arguments, SMALLEST_INTEGER, LARGEST_INTEGER, flag_values=flag_values)


class _PathParser(flags.ArgumentParser):
    """Parses the path of a file or folder on this machine; raises UsageError for anything else."""

    syntactic_help = "a path on this machine"

    def __init__(self, name: str):
        self._name = f"--{name}"

    def parse(self, argument: str | Path) -> Path:
        """Returns the path, with ~ expanded."""
        if isinstance(argument, str) and argument.startswith("--"):
            raise UsageError(f"{self._name} has no value; it must be a path on this machine")
        try:
            return argument if isinstance(argument, Path) else local_path(self._name, argument)
        except PathError as error:
            raise UsageError(str(error)) from error

    def flag_type(self) -> str:
        """Returns the name of the type."""
        return "path"


class _AloneParser(flags.EnumParser):
    """Parses one of several choices; a flag without a value, absl's "true", has a value too."""

    def __init__(self, choices: tuple[str, ...], alone: str):
        super().__init__(choices)
        self._alone = alone

    def parse(self, argument: str) -> str:
        """Returns the choice."""
        return self._alone if argument == "true" else super().parse(argument)
