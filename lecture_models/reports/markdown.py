"""Aligns rows of short texts for the terminal, as valid Markdown."""

from collections.abc import Sequence


def markdown_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a table whose columns are aligned: the first to the left, all others to the right."""
    cells = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(3, *map(len, column)) for column in zip(header, *cells, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "".join(f"| {' | '.join(_padded(row, widths))} |\n" for row in (header, rule, *cells))


def _padded(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *others = zip(row, widths, strict=True)
    return [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
