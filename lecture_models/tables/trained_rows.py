"""The trained rows of the tables: `runtime.trained_cells` with this house's experiments."""

import functools
import importlib
import importlib.util
from collections.abc import Callable, Iterable
from types import ModuleType

from lecture_models.runs.results import Run, finished_runs
from lecture_models.tables import trained_cells
from lecture_models.tables.table import Row, TableContext
from lecture_models.tables.trained_cells import Cell

RunsOf = Callable[[str], list[Run]]


def reader(context: TableContext) -> RunsOf:
    """The finished runs of an experiment below the context's folder, read once."""
    return functools.cache(functools.partial(finished_runs, context.runs_dir))


def rows(cell: Cell, context: TableContext) -> list[Row]:
    """`trained_cells.rows` of the runs that are below the context's folder."""
    return all_rows([cell], reader(context))


def all_rows(cells: Iterable[Cell], runs_of: RunsOf) -> list[Row]:
    """Those of all cells in turn."""
    return [
        row
        for cell in cells
        for row in trained_cells.rows(cell, runs_of(cell.experiment), module_of)
    ]


def module_of(experiment: str) -> ModuleType | None:
    """None where the experiment is not in the house."""
    name = f"experiments.{experiment}"
    return None if importlib.util.find_spec(name) is None else importlib.import_module(name)
