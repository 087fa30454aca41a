"""Turns a printed table of methods by data sets into rows, some of which runs can fill."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from lecture_models.tables import trained_rows
from lecture_models.tables.table import PublishedValue, TableContext, TableRow, published
from lecture_models.tables.trained_cells import TrainedCell

MakeCell = Callable[[str, PublishedValue], TrainedCell]  # (label, printed value) -> cell.


class PrintedGrid(NamedTuple):
    """Holds a printed table.

    Attributes:
        columns: names of the columns.
        printed: each method's values in the order of `columns`, "-" for an empty cell.
        source: where the table was printed.
        made: makes the cells that runs can fill, by (method, column).
        own: methods whose other values have a row each; all other methods share one row.
        absent: why the other values cannot be run here.
    """

    columns: tuple[str, ...]
    printed: dict[str, str]
    source: str
    made: dict[tuple[str, str], MakeCell]
    own: tuple[str, ...]
    absent: str

    def values(self, method: str) -> dict[str, str]:
        """Returns a method's printed values by column, without empty cells."""
        values = zip(self.columns, self.printed[method].split(), strict=True)
        return {column: value for column, value in values if value != "-"}

    def cell(self, method: str, column: str) -> TrainedCell:
        """Returns a cell that runs can fill."""
        printed = published(self.values(method)[column], self.source)
        return self.made[method, column](f"{method}, {column}", printed)

    @property
    def cells(self) -> tuple[TrainedCell, ...]:
        return tuple(self.cell(method, column) for method, column in self.made)


def grid_rows(grid: PrintedGrid, context: TableContext) -> Iterator[TableRow]:
    """Yields the rows of all methods in the order of the printed table."""
    runs_of = trained_rows.reader(context)
    for method in grid.printed:
        values = grid.values(method)
        trained = [column for column in values if (method, column) in grid.made]
        yield from trained_rows.rows_of_cells(
            [grid.cell(method, column) for column in trained], runs_of
        )
        others = {column: value for column, value in values.items() if column not in trained}
        if method in grid.own:
            for column, value in others.items():
                printed = published(value, grid.source)
                yield TableRow(f"{method}, {column}", printed, None, grid.absent)
        elif others:
            text = ", ".join(f"{column} {value}" for column, value in others.items())
            reason = grid.absent if trained else "no experiment here"
            label = f"{method}, other columns" if trained else method
            yield TableRow(label, PublishedValue(text, grid.source), None, reason)
