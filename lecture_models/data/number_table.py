"""Reads a table of numbers from a CSV file: one example per line, with or without a header."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from lecture_models.data.csv_cells import Line, finite_number, number_of, read_csv
from lecture_models.data.dataset import DataError, Provenance
from lecture_models.files import local_path


class NumberTable(NamedTuple):
    """Holds the columns of a table.

    Attributes:
        columns: the names of the columns of numbers; "column 1" and so on without a header.
        values: the numbers, all finite, (example, column).
        labels: the class of each example, if the table has a column of words; else None.
        classes: the words behind the labels, sorted; () without such a column.
        provenance: the file.
    """

    columns: tuple[str, ...]
    values: Float64[np.ndarray, "example column"]
    labels: Int64[np.ndarray, " example"] | None
    classes: tuple[str, ...]
    provenance: Provenance

    def column(self, name: str, flag: str) -> int:
        """Returns the index of a column of numbers; raises DataError if there is none.

        Args:
            name: the column's name; "" for the last column.
            flag: the flag that holds the name, for the message.
        """
        if not name:
            return len(self.columns) - 1
        if name not in self.columns:
            raise DataError(f"{flag} is {name}; the table has the columns {self.columns}")
        return self.columns.index(name)


def read_number_table(flag: str, name: str) -> NumberTable:
    """Returns the numbers of a CSV file, and the classes if one column holds words.

    The first line is a header if it has a word where the second line has a number, or if it alone
    has none.

    Args:
        flag: the flag that names the file, for messages.
        name: the path of the file.

    Returns:
        The table.

    Raises:
        DataError: the file cannot be read; a line has another number of cells than the first; a
            cell is empty or not finite; numbers and words are mixed in a column; several columns
            hold words; or there is no number.
    """
    path = local_path(flag, name)
    lines, file = read_csv(path)
    names = [f"column {index + 1}" for index in range(len(lines[0].cells) if lines else 0)]
    if _has_header(lines):
        names = list(lines.pop(0).cells)
    if not lines:
        raise DataError(f"{path} has no line of numbers")
    columns, values, labels, classes = [], [], None, ()
    for index, column in enumerate(names):
        if any(number_of(line.cells[index]) is not None for line in lines):
            columns.append(column)
            values.append([finite_number(line.cells[index], path, line.number) for line in lines])
        elif classes:
            raise DataError(f"{path} has several columns of words; it may have one, of classes")
        else:
            found, labels = np.unique([line.cells[index] for line in lines], return_inverse=True)
            classes = tuple(map(str, found))
    if not columns:
        raise DataError(f"{path} has no column of numbers")
    source = f"{path.name}: {len(lines):,} lines of {len(columns):,} numbers"
    return NumberTable(
        tuple(columns),
        np.array(values, np.float64).T,
        None if labels is None else labels.astype(np.int64),
        classes,
        Provenance("table", source, (file,)),
    )


def _has_header(lines: list[Line]) -> bool:
    if len(lines) < 2:
        return bool(lines) and all(number_of(cell) is None for cell in lines[0].cells)
    pairs = zip(lines[0].cells, lines[1].cells, strict=True)
    return any(
        number_of(first) is None and number_of(second) is not None for first, second in pairs
    )
