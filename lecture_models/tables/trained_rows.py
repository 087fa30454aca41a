"""Gives tables their trained rows: applies `trained_cells` to the runs below a table's folder.

Experiments are imported by name, since this package does not depend on them.
"""

import functools
import importlib
import importlib.util
from collections.abc import Callable, Iterable
from types import ModuleType

from lecture_models.runs.results import FinishedRun, finished_runs
from lecture_models.tables import trained_cells
from lecture_models.tables.table import TableContext, TableRow
from lecture_models.tables.trained_cells import TrainedCell

RunsOf = Callable[[str], list[FinishedRun]]  # Experiment's name -> its finished runs.


def reader(context: TableContext) -> RunsOf:
    """Returns a function that reads an experiment's runs below the context's folder once."""
    return functools.cache(functools.partial(finished_runs, context.runs_dir))


def rows(cell: TrainedCell, context: TableContext) -> list[TableRow]:
    """Returns the rows of one cell, filled from the runs below the context's folder."""
    return rows_of_cells([cell], reader(context))


def rows_of_cells(cells: Iterable[TrainedCell], runs_of: RunsOf) -> list[TableRow]:
    """Returns the rows of all cells in their order."""
    return [
        row
        for cell in cells
        for row in trained_cells.cell_rows(cell, runs_of(cell.experiment), module_of)
    ]


def module_of(experiment: str) -> ModuleType | None:
    """Imports an experiment's module; returns None if there is no such experiment."""
    name = f"experiments.{experiment}"
    return None if importlib.util.find_spec(name) is None else importlib.import_module(name)
