"""Reads the cells of a CSV file, and numbers from them.

Source of the format: RFC 4180; also with semicolons or tabs in place of commas, as spreadsheets
write them.
"""

import csv
import io
import math
from pathlib import Path
from typing import NamedTuple

from lecture_models.data.archives import read_file
from lecture_models.data.dataset import DataError, DataFile

_DELIMITERS = (",", ";", "\t")


class Line(NamedTuple):
    """Holds the number of a line in its file, from 1, and its cells without outer spaces."""

    number: int
    cells: tuple[str, ...]


def read_csv(path: Path) -> tuple[list[Line], DataFile]:
    """Returns the lines of a CSV file that are not empty, and the file for the provenance.

    Raises:
        DataError: the file cannot be read, is not a text in UTF-8, or a line has another number of
            cells than the first.
    """
    content, file = read_file(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a text file in UTF-8") from error
    delimiter = max(_DELIMITERS, key=text.lstrip().partition("\n")[0].count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        lines = [
            Line(reader.line_num, tuple(cell.strip() for cell in row)) for row in reader if row
        ]
    except csv.Error as error:
        raise DataError(f"{path} is not a CSV file: {error}") from error
    for number, cells in lines:
        if len(cells) != len(lines[0].cells):
            raise DataError(
                f"{path}, line {number} has {len(cells)} cells; it must have {len(lines[0].cells)}"
            )
    return lines, file


def number_of(cell: str) -> float | None:
    """Returns the number that a cell holds, which may be infinite or NaN; None for a word."""
    try:
        return float(cell)
    except ValueError:
        return None


def finite_number(cell: str, path: Path, line: int) -> float:
    """Returns the number that a cell holds.

    Raises:
        DataError: the cell is empty, a word, infinite or NaN.
    """
    number = number_of(cell)
    if number is None or not math.isfinite(number):
        raise DataError(f"{path}, line {line} has {cell!r}; it must be a finite number")
    return number
