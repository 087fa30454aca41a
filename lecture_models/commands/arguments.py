"""Flags among the words of a command line: taken out, or kept alone."""

from collections.abc import Iterable


def part(arguments: Iterable[str], valued: set[str], switches: set[str] = frozenset()):
    """The words of the flags that are named, and all other words, each in their order.

    A value may be a word of its own, `--seed 3`, but not that of a switch, whose opposite begins
    with `no`.
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
