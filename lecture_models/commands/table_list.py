"""Lists the tables, and how many of their trained cells finished runs fill: `--table=list`."""

import functools
from pathlib import Path

from lecture_models.commands import discovery
from lecture_models.commands.invocation import Invocation
from lecture_models.commands.table_run import module_of
from lecture_models.runs.results import finished_runs
from lecture_models.tables import trained_cells
from lecture_models.tables.table import TableContext
from lecture_models.tables.trained_cells import TrainedCell


def show(invocation: Invocation, context: TableContext) -> None:
    """Prints each table's name, title and source, and the number of its filled cells."""
    tables = invocation.checkout.tables
    experiment_module = functools.partial(module_of, invocation)
    runs_of = functools.cache(functools.partial(finished_runs, context.runs_dir))

    def is_filled(cell: TrainedCell) -> bool:
        return trained_cells.is_filled(cell, runs_of(cell.experiment), experiment_module)

    for name in discovery.names(tables):
        entry = discovery.table_entry(tables, name)
        cells = _cells(tables, name)
        print(f"{name}: {entry.title}\n    source   {entry.source}")
        if cells:
            filled = sum(map(is_filled, cells))
            print(f"    trained  {filled} of {len(cells)} cells filled from {context.runs_dir}")


def with_trained_cells(tables: Path) -> list[str]:
    """Returns the names of the tables in which runs fill cells."""
    return [name for name in discovery.names(tables) if _cells(tables, name)]


def _cells(tables: Path, name: str) -> tuple[TrainedCell, ...]:
    return getattr(discovery.load(tables, name, "table"), "CELLS", ())
