"""Writes numbers and names of files for messages of one line."""

_SHOWN = 5  # Names in a message.


def count_of(number: int, noun: str) -> str:
    """Returns a number with its noun, in the plural unless the number is 1."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def first_of(items: list[str], most: int = _SHOWN) -> str:
    """Returns the first items, separated by commas, and the number of the others."""
    rest = len(items) - most
    return ", ".join(items[:most]) + (f" and {rest:,} more" if rest > 0 else "")
