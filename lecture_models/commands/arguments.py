"""Separates some flags of a command line from its other words."""

from collections.abc import Iterable


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
                taken += [value for value in (next(words, None),) if value is not None]
        elif name in switches or name.removeprefix("no") in switches:
            taken.append(word)
        else:
            rest.append(word)
    return taken, rest
