"""A printed table of methods by data sets, of which some cells can be run here."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from lecture_models.tables import trained_rows
from lecture_models.tables.table import Published, Row, TableContext, published
from lecture_models.tables.trained_cells import Cell

Make = Callable[[str, Published], Cell]


class Grid(NamedTuple):
    """`printed` has the methods' cells in the order of `columns`, "-" for none.

    `made` gives the cells that runs can fill, by method and column. Of the `own` methods every
    other value has a row too; of the rest one line for each.
    """

    columns: tuple[str, ...]
    printed: dict[str, str]
    source: str
    made: dict[tuple[str, str], Make]
    own: tuple[str, ...]
    absent: str

    def values(self, method: str) -> dict[str, str]:
        """What is printed, by column."""
        cells = zip(self.columns, self.printed[method].split(), strict=True)
        return {column: value for column, value in cells if value != "-"}

    def cell(self, method: str, column: str) -> Cell:
        printed = published(self.values(method)[column], self.source)
        return self.made[method, column](f"{method}, {column}", printed)

    @property
    def cells(self) -> tuple[Cell, ...]:
        return tuple(self.cell(method, column) for method, column in self.made)


def rows(grid: Grid, context: TableContext) -> Iterable[Row]:
    """In the order of the printed table."""
    runs_of = trained_rows.reader(context)
    for method in grid.printed:
        values = grid.values(method)
        mine = [column for column in values if (method, column) in grid.made]
        yield from trained_rows.all_rows([grid.cell(method, column) for column in mine], runs_of)
        others = {column: value for column, value in values.items() if column not in mine}
        if method in grid.own:
            for column, value in others.items():
                printed = published(value, grid.source)
                yield Row(f"{method}, {column}", printed, None, grid.absent)
        elif others:
            text = ", ".join(f"{column} {value}" for column, value in others.items())
            why = grid.absent if mine else "no experiment here"
            what = f"{method}, other columns" if mine else method
            yield Row(what, Published(text, grid.source), None, why)
