"""Formats a table for a terminal, or as Markdown, HTML, CSV or JSON; the last two are exact."""

import collections
import csv
import io
import itertools
from collections.abc import Iterable
from typing import Any

from lecture_models.files import json_text
from lecture_models.reports.html import number as short_number
from lecture_models.reports.page import render
from lecture_models.runs.results import Measurement
from lecture_models.tables.table import LEGEND, Table, TableRow, difference, number, verdict

HOW = "how ours was obtained"
COLUMNS = (
    "what",
    "published",
    "ours",
    "difference",
    "verdict",
    HOW,
    "remarks",
)
NARROW = 16  # Letters that the first column keeps in a narrow terminal.
GAP = 2  # Letters between two columns in a terminal.
PADDED = 48  # Letters; wider cells are not aligned, because they would push the others apart.


def markdown(table: Table) -> str:
    """Returns a table as Markdown with aligned columns."""
    rows = [columns(table), *(tuple(map(_inline, row)) for row in body(table))]
    widths = [
        max(len(row[column]) for row in rows if len(row[column]) <= PADDED)
        for column in range(len(rows[0]))
    ]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, _line(["-" * width for width in widths], widths))
    footer = [f"- {_inline(remark)}" for remark in _footer(table, _remarks(table))]
    heading = [f"## {_inline(table.title)}", "", _inline(f"Source: {table.source}"), ""]
    return "\n".join([*heading, *lines, "", *footer]) + "\n"


def terminal(table: Table, width: int) -> str:
    """Returns a table for a terminal of so many columns.

    How ours was obtained stands below the table, among the remarks, so that its cells have room.
    Longer cells are wrapped, never cut; columns that do not fit follow below.
    """
    # Imported here, because only a person at a terminal waits for it.
    from rich.console import Console

    notes = list(dict.fromkeys(note for row in table.rows for note in _notes_of(row)))
    rows = [columns(table)] + [
        _cells(row, _extra_names(table), [notes.index(note) + 1 for note in _notes_of(row)])
        for row in table.rows
    ]
    longest = [max(map(len, texts)) for texts in zip(*rows, strict=True)]
    least = [min(length, width // 6) for length in longest]
    least[0] = min(longest[0], NARROW)
    shown = [column for column, name in enumerate(rows[0]) if name != HOW]
    console = Console(file=io.StringIO(), width=width, color_system=None, highlight=False)
    for text in (table.title, f"Source: {table.source}"):
        console.print(text, markup=False)
    for block in _blocks(shown, least, width):
        console.print(_grid(rows, block, least))
    for remark in _footer(table, notes):
        console.print(f"- {remark}", markup=False)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


def _blocks(shown: list[int], least: list[int], width: int) -> list[list[int]]:
    """Divides columns into blocks that fit into a width; each begins with the first column."""
    first, *others = shown
    blocks, room = [[first]], 0
    for column in others:
        room += least[column] + GAP
        if len(blocks[-1]) > 1 and GAP + least[first] + GAP + room > width:
            blocks.append([first])
            room = least[column] + GAP
        blocks[-1].append(column)
    return blocks


def _grid(rows: list[tuple[str, ...]], block: list[int], least: list[int]) -> Any:
    """Returns some columns of a table, whose first row is the heading, for rich to print."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table as Grid

    grid = Grid(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    heading, *body = rows
    for column in block:
        grid.add_column(escape(heading[column]), min_width=least[column], overflow="fold")
    for row in body:
        grid.add_row(*(escape(row[column]) for column in block))
    return grid


def html(table: Table) -> str:
    """Returns a table as one HTML page that fetches nothing."""
    return render(
        "table.html",
        title=table.title,
        name=table.name,
        source=table.source,
        columns=columns(table),
        rows=body(table),
        remarks=_footer(table, _remarks(table)),
        footer="made by lecture-models",
    )


def comma_separated(table: Table) -> str:
    """Returns a table as CSV with the columns of `record`, in full precision."""
    rows = [_flat(record(row)) for row in table.rows]
    file = io.StringIO()
    writer = csv.DictWriter(file, list(dict.fromkeys(itertools.chain(*rows))), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def as_json(table: Table) -> str:
    """Returns a table as JSON with the rows of `record`, in full precision."""
    content = {
        "name": table.name,
        "title": table.title,
        "source": table.source,
        "rows": [record(row) for row in table.rows],
        "legend": dict(legend(table)),
        "notes": list(table.notes),
    }
    return json_text(content, indent=2) + "\n"


FORMATS = {".md": markdown, ".html": html, ".csv": comma_separated, ".json": as_json}


def legend(table: Table) -> list[tuple[str, str]]:
    """Returns the verdicts that occur in a table, and their meanings."""
    verdicts = {verdict(row) for row in table.rows}
    return [(name, meaning) for name, meaning in LEGEND.items() if name in verdicts]


def verdict_counts(table: Table) -> str:
    """Returns how many rows there are, and how many of each verdict, as one phrase."""
    counts = collections.Counter(verdict(row) for row in table.rows)
    named = ", ".join(f"{counts[name]} {name}" for name in LEGEND if counts[name])
    return f"{len(table.rows)} rows: {named}"


def columns(table: Table) -> tuple[str, ...]:
    """Returns the headings of a table: `COLUMNS`, with those of extras before the way to ours."""
    place = COLUMNS.index(HOW)
    return (*COLUMNS[:place], *_extra_names(table), *COLUMNS[place:])


def _extra_names(table: Table) -> tuple[str, ...]:
    return tuple(dict.fromkeys(extra.name for row in table.rows for extra in row.extras))


def body(table: Table) -> list[tuple[str, ...]]:
    """Returns for each row a text for each of `columns`; the last one refers to `_remarks`."""
    remarks, names = _remarks(table), _extra_names(table)
    return [
        _cells(row, names, [remarks.index(remark) + 1 for remark in _remarks_of(row)])
        for row in table.rows
    ]


def _remarks(table: Table) -> list[str]:
    """Returns sources and errata, each once, in the order of the rows."""
    return list(dict.fromkeys(remark for row in table.rows for remark in _remarks_of(row)))


def _remarks_of(row: TableRow) -> list[str]:
    source = f"published in: {row.published.source}" if row.published else ""
    return [remark for remark in (source, row.erratum) if remark]


def _notes_of(row: TableRow) -> list[str]:
    """Returns the remarks on a row, and how ours was obtained."""
    return [*_remarks_of(row), *([row.how] if row.how else [])]


def _footer(table: Table, numbered: list[str]) -> list[str]:
    """Returns the numbered remarks, the legend and the notes."""
    remarks = [f"[{number}] {remark}" for number, remark in enumerate(numbered, start=1)]
    return [*remarks, *(f"{name}: {meaning}" for name, meaning in legend(table)), *table.notes]


def _cells(row: TableRow, names: tuple[str, ...], remarks: list[int]) -> tuple[str, ...]:
    printed = row.published.printed if row.published else "-"
    if row.published and row.published.spread:
        printed += f" ± {row.published.spread:g}"
    numbers = " ".join(f"[{number}]" for number in remarks)
    judged = row.label, printed, shown(row.ours, row.decimals), _difference(row), verdict(row)
    extras = {extra.name: shown(extra.value, extra.decimals) for extra in row.extras}
    return (*judged, *(extras.get(name, "-") for name in names), row.how, numbers)


def record(row: TableRow) -> dict[str, Any]:
    """Returns a row as plain values; `ours` is a mean if it was trained."""
    ours, paper = row.ours, row.published
    trained = ours._asdict() if isinstance(ours, Measurement) else {}
    value = number(ours)
    return {
        "what": row.label,
        "published": paper.printed if paper else None,
        "published_value": paper.value if paper else None,
        "published_spread": paper.spread or None if paper else None,
        "ours": ours if value is None else value,
        "spread": trained.get("std"),
        "seeds": trained.get("count"),
        "difference": difference(row),
        "verdict": verdict(row),
        "how": row.how,
        "erratum": row.erratum or None,
        "source": paper.source if paper else None,
        "preset": trained.get("preset"),
        "data": trained.get("data"),
        "data_note": trained.get("note"),
        "device": trained.get("device"),
        "runs": list(trained.get("runs", ())),
        **{extra.name: _plain(extra.value) for extra in row.extras},
    }


def _plain(value: int | float | str | Measurement | None) -> int | float | str | None:
    exact = number(value)
    return value if exact is None else exact


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    return values | {"runs": " ".join(values["runs"])}


def shown(ours: int | float | str | Measurement | None, decimals: int) -> str:
    """Returns what a cell shows of our value; a measurement with its spread and number of seeds."""
    if ours is None:
        return "-"
    if isinstance(ours, str):
        return ours
    if isinstance(ours, int):
        return f"{ours:,}"
    if isinstance(ours, float):
        return _rounded(ours, decimals)
    spread = "" if ours.std is None else f" ± {_rounded(ours.std, decimals)}"
    return f"{_rounded(ours.mean, decimals)}{spread} (n = {ours.count})"


def _rounded(value: float, decimals: int) -> str:
    """Returns a number with the decimals of its row, or with four digits where it would be 0."""
    is_lost = value != 0 and abs(value) < 0.5 / 10**decimals
    return short_number(value) if is_lost else f"{value:,.{decimals}f}"


def _difference(row: TableRow) -> str:
    gap = difference(row)
    if gap is None:
        return "-"
    if gap == 0:
        return "0"
    shown = f"{gap:+,}" if isinstance(gap, int) else f"{gap:+,.{row.decimals}f}"
    value = row.published.value
    return f"{shown} ({gap / value:+.1%})" if value else shown


def _line(texts: Iterable[str], widths: list[int]) -> str:
    padded = (text.ljust(width) for text, width in zip(texts, widths, strict=True))
    return f"| {' | '.join(padded)} |"


def _inline(value: str) -> str:
    """Returns a text as one line that cannot end its cell."""
    return " ".join(value.split()).replace("|", "\\|")
