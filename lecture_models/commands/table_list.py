"""`--table=list`: every table, and how many of its trained rows finished runs fill."""

import functools

from lecture_models.commands import discovery
from lecture_models.commands.invocation import Invocation
from lecture_models.commands.table_run import module_of
from lecture_models.runs.results import finished_runs
from lecture_models.tables import trained_cells
from lecture_models.tables.table import TableContext
from lecture_models.tables.trained_cells import Cell


def show(invocation: Invocation, context: TableContext) -> None:
    house = invocation.house
    of = functools.partial(module_of, invocation)
    runs_of = functools.cache(functools.partial(finished_runs, context.runs_dir))

    def is_filled(cell: Cell) -> bool:
        return trained_cells.is_filled(cell, runs_of(cell.experiment), of)

    for name in discovery.names(house.tables):
        entry = discovery.table_entry(house.tables, name)
        cells = getattr(discovery.load(house.tables, name, "table"), "CELLS", ())
        print(f"{name}: {entry.title}\n    source   {entry.source}")
        if cells:
            filled = sum(map(is_filled, cells))
            print(f"    trained  {filled} of {len(cells)} cells filled from {context.runs_dir}")
