"""Reads the user's own points and classes from a CSV file."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from lecture_models.data.csv_cells import Line, finite_number, number_of, read_csv
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
    lines, file = read_csv(path)
    columns: tuple[str, ...] = ()
    if lines and any(number_of(cell) is None for cell in lines[0].cells[:-1]):
        columns = lines.pop(0).cells[:-1]
    if not lines:
        raise DataError(f"{path} has no points; each line must be numbers, then a class")
    width = len(lines[0].cells)
    if width < 2:
        raise DataError(f"{path} has 1 column; there must be numbers, then a class")
    points = np.array([_coordinates(path, line) for line in lines])
    classes, labels = np.unique([line.cells[-1] for line in lines], return_inverse=True)
    source = f"{path.name}: {len(lines):,} points of {width - 1:,} numbers"
    return LabeledTable(
        columns or tuple(f"x{index}" for index in range(1, width)),
        points,
        labels.astype(np.int64),
        tuple(map(str, classes)),
        Provenance("table", source, (file,)),
    )


def _coordinates(path: Path, line: Line) -> list[float]:
    if not line.cells[-1]:
        raise DataError(f"{path}, line {line.number} has no class in its last cell")
    return [finite_number(cell, path, line.number) for cell in line.cells[:-1]]
