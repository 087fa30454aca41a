"""Reads the user's own points and classes from a CSV file."""

import csv
import io
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from lecture_models.data.archives import read_file
from lecture_models.data.dataset import DataError, Provenance
from lecture_models.files import local_path


class LabeledTable(NamedTuple):
    """Holds points with their classes.

    Attributes:
        columns: the names of the coordinates.
        points: the coordinates, (point, coordinate).
        labels: index of the class of each point.
        classes: the names of the classes, sorted.
        provenance: the file.
    """

    columns: tuple[str, ...]
    points: Float64[np.ndarray, "point coordinate"]
    labels: Int64[np.ndarray, " point"]
    classes: tuple[str, ...]
    provenance: Provenance


def read_labeled_table(flag: str, name: str) -> LabeledTable:
    """Returns the points of a CSV file, whose last column is the class of each point.

    The first line may name the columns: it does if one of its coordinates is not a number.

    Args:
        flag: the flag that names the file, for messages.
        name: the path of the file.

    Returns:
        The points.

    Raises:
        DataError: the file cannot be read; there is no point, or no coordinate; a line has another
            number of cells; or a coordinate is missing, not a number, or not finite.
    """
    path = local_path(flag, name)
    content, file = read_file(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a text file in UTF-8") from error
    lines = [(number, row) for number, row in enumerate(csv.reader(io.StringIO(text)), 1) if row]
    columns: tuple[str, ...] = ()
    if lines and any(_number(cell) is None for cell in lines[0][1][:-1]):
        columns = tuple(cell.strip() for cell in lines.pop(0)[1][:-1])
    if not lines:
        raise DataError(f"{path} has no points; each line must be numbers, then a class")
    width = len(columns) + 1 if columns else len(lines[0][1])
    if width < 2:
        raise DataError(f"{path} has 1 column; there must be numbers, then a class")
    points = np.array([_coordinates(path, number, row, width) for number, row in lines])
    classes, labels = np.unique([row[-1].strip() for _, row in lines], return_inverse=True)
    source = f"{path.name}: {len(lines):,} points of {width - 1:,} numbers"
    return LabeledTable(
        columns or tuple(f"x{index}" for index in range(1, width)),
        points,
        labels.astype(np.int64),
        tuple(map(str, classes)),
        Provenance("table", source, (file,)),
    )


def _coordinates(path, line: int, row: list[str], width: int) -> list[float]:
    if len(row) != width:
        raise DataError(f"{path}, line {line} has {len(row)} cells; it must have {width}")
    values = [_number(cell) for cell in row[:-1]]
    for cell, value in zip(row, values, strict=False):
        if value is None or not np.isfinite(value):
            raise DataError(f"{path}, line {line} has {cell!r}; it must be a finite number")
    if not row[-1].strip():
        raise DataError(f"{path}, line {line} has no class in its last cell")
    return values


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
