"""Takes command lines apart, and puts them together again for another folder."""

import itertools
import shlex
from collections.abc import Iterable
from pathlib import Path


def split_flags(
    arguments: Iterable[str], valued: set[str], switches: set[str] = frozenset()
) -> tuple[list[str], list[str]]:
    """Separates the words of some flags from all other words; both keep their order.

    Args:
        arguments: the words of a command line.
        valued: names of flags with a value, which may be a word of its own: `--seed 3`.
        switches: names of flags without a value; `--noNAME` is their opposite.

    Returns:
        The words of the named flags, and the other words.
    """
    taken: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        name, equals, _ = word.lstrip("-").partition("=")
        if not word.startswith("-"):
            rest.append(word)
        elif name in valued:
            taken.append(word)
            if not equals:
                taken.extend(itertools.islice(words, 1))
        elif name in switches or name.removeprefix("no") in switches:
            taken.append(word)
        else:
            rest.append(word)
    return taken, rest


def flag_value(arguments: Iterable[str], name: str) -> str | None:
    """Returns the value that a flag has in a command line; None if it has none.

    If it is given several times, the last one counts.
    """
    taken, _ = split_flags(arguments, {name})
    if not taken:
        return None
    is_value = not taken[-1].startswith("-")
    return taken[-1] if is_value else taken[-1].partition("=")[2] or None


def flag_names(arguments: Iterable[str]) -> set[str]:
    """Returns the names of the flags in a command line, as they were typed, without dashes."""
    return {word.lstrip("-").partition("=")[0] for word in arguments if word.startswith("-")}


def words_of(command: str) -> list[str]:
    """Returns the words of a recorded command; [] if its quotes do not match."""
    try:
        return shlex.split(command)
    except ValueError:
        return []


def in_folder(command: str, folder: Path) -> str:
    """Returns a recorded command with `--workdir` naming the folder where the run lies now.

    A command that names this folder already is returned as it is.
    """
    words = words_of(command)
    recorded = flag_value(words, "workdir")
    if not words or (recorded is not None and Path(recorded).absolute() == folder.absolute()):
        return command
    _, rest = split_flags(words, {"workdir"})
    return shlex.join([*rest, f"--workdir={folder}"])
