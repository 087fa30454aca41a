"""Reads our numbers where they stand: in kept records, in tables, and on pages of results.

No number of ours is written in the file of a lecture.
"""

import functools
import re
from collections.abc import Callable
from pathlib import Path

from lecture_models.lectures.lecture import KeptText, Number
from lecture_models.runs.reader import read_config
from lecture_models.runs.recorded_run import read_run
from lecture_models.runs.results import Measurement, finished_run, measure
from lecture_models.tables.table import Table, TableRow, published

_CELL = re.compile(r"([-+]?[\d,]*\.?\d+)\s*(?:%|dB)?(?:\s*±\s*([\d.]+))?")
_LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")


class MissingValueError(ValueError):
    """Says that a number is not where the file of the lecture looks for it."""


class Values:
    """Finds our numbers, and reads each table and page once."""

    def __init__(self, results: Path, build_table: Callable[[str], Table]):
        """Takes the folder of the results, and a function that builds a table by its name."""
        self._results = results
        self.table = functools.cache(build_table)
        self._page = functools.cache(lambda name: (results / f"{name}.md").read_text("utf-8"))

    def row(self, number: Number) -> TableRow:
        """Returns a number as the row of a table: the published one and ours.

        Raises MissingValueError if ours is not where it should be, although the results are here.
        """
        if number.table:
            return self._of_table(number)
        paper = None
        if number.published:
            paper = published(number.published, number.source, number.half_width, number.spread)
        ours, how = self._of_records(number) if number.records else self._of_page(number)
        return TableRow(
            number.what,
            paper,
            ours,
            how,
            better=number.better,
            gap=bool(number.gap),
            decimals=number.decimals,
        )

    def text(self, kept: KeptText) -> str:
        """Returns a text of a kept run; "" where the records are not here.

        Raises MissingValueError if the run has no such text.
        """
        folder = self._results / "runs" / f"{kept.records}_0"
        if not folder.parent.is_dir():
            return ""
        texts = read_run(folder).texts
        if kept.name not in texts:
            raise MissingValueError(f"{folder} has no text {kept.name!r}")
        return texts[kept.name].strip("\n")

    def _of_table(self, number: Number) -> TableRow:
        rows = [row for row in self.table(number.table).rows if row.label == number.row]
        if len(rows) != 1:
            raise MissingValueError(
                f"the table {number.table} has {len(rows)} rows {number.row!r}; there must be one"
            )
        return rows[0]._replace(label=number.what or number.row)

    def _of_records(self, number: Number) -> tuple[Measurement | None, str]:
        runs = self._results / "runs"
        if not runs.is_dir():
            return None, "the kept records are not here"
        name = re.compile(rf"{re.escape(number.records)}_\d+")
        folders = sorted(path for path in runs.iterdir() if name.fullmatch(path.name))
        finished = [
            finished_run(runs, path, str(read_config(path).intact.get("experiment")))
            for path in folders
        ]
        having = [run for run in finished if run is not None and number.metric in run.metrics]
        if not having or len(having) < len(folders):
            raise MissingValueError(
                f"{runs}/{number.records}_SEED: {len(having)} of {len(folders)} records have "
                f"{number.metric}"
            )
        measured = measure(having, [run.metrics[number.metric] for run in having])
        return measured, f"{number.metric} of results/runs/{number.records}_SEED"

    def _of_page(self, number: Number) -> tuple[str | Measurement | None, str]:
        path = self._results / f"{number.page}.md"
        if not path.is_file():
            return None, f"{path.name} is not here"
        text = markdown_cell(self._page(number.page), number.row, number.column)
        if text is None:
            raise MissingValueError(
                f"{path} has no single table with a row {number.row!r} and a column "
                f"{number.column!r}"
            )
        found, how = _CELL.match(text), f"results/{path.name}: {number.row}"
        if not number.better or not found or not found[2]:
            return text, how
        values = float(found[1].replace(",", "")), float(found[2])
        return Measurement(*values, 0, (), "", "", "", ""), how


def markdown_cell(page: str, row: str, column: str) -> str | None:
    """Returns the cell of a table on a Markdown page; None unless exactly one table has it.

    Args:
        page: the text of the page.
        row: the first cell of the row, without marks of bold type, code and links.
        column: the heading of the column; "" for the second one.
    """
    found = []
    for block in re.findall(r"(?:^\|.*\|[ ]*\n?)+", page, re.MULTILINE):
        lines = [_cells(line) for line in block.splitlines()]
        heading = lines[0]
        place = 1 if not column else heading.index(column) if column in heading else None
        if place is None:
            continue
        found += [cells[place] for cells in lines[2:] if cells[0] == row and place < len(cells)]
    return found[0] if len(found) == 1 else None


def _cells(line: str) -> list[str]:
    plain = _LINK.sub(r"\1", line.strip().strip("|")).replace("**", "").replace("`", "")
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", plain)]


def errata(path: Path, beginnings: tuple[str, ...]) -> list[str]:
    """Returns the points of the list of errata that begin so, each as one line.

    Where the list is not here, the beginnings stand for them. Raises MissingValueError if no
    point, or more than one, begins so.
    """
    if not path.is_file():
        return list(beginnings)
    points = [
        " ".join(point.replace("\n  ", " ").split())
        for point in re.findall(r"^- (.*(?:\n  .*)*)", path.read_text("utf-8"), re.MULTILINE)
    ]
    found = []
    for beginning in beginnings:
        matches = [point for point in points if point.startswith(beginning)]
        if len(matches) != 1:
            raise MissingValueError(
                f"{path} has {len(matches)} points that begin with {beginning!r}; it must have one"
            )
        found += matches
    return found
