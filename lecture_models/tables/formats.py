"""A table as Markdown, HTML, CSV or JSON. Numbers are rounded where people read, not in JSON."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from lecture_models.reports.html import text
from lecture_models.reports.style import STYLE
from lecture_models.runs.results import Measurement
from lecture_models.tables.table import LEGEND, Row, Table, difference, number, verdict

COLUMNS = (
    "what",
    "published",
    "ours",
    "difference",
    "verdict",
    "how ours was obtained",
    "remarks",
)
PADDED = 48  # Wider cells are not lined up: they would push the others apart.


def markdown(table: Table) -> str:
    rows = [COLUMNS, *(tuple(map(_inline, row)) for row in _body(table))]
    widths = [
        max(len(row[column]) for row in rows if len(row[column]) <= PADDED)
        for column in range(len(COLUMNS))
    ]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, _line(["-" * width for width in widths], widths))
    footer = [f"- {_inline(each)}" for each in _footer(table)]
    heading = [f"## {_inline(table.title)}", "", _inline(f"Source: {table.source}"), ""]
    return "\n".join([*heading, *lines, "", *footer]) + "\n"


def html(table: Table) -> str:
    head = "".join(f"<th>{text(column)}</th>" for column in COLUMNS)
    body = "".join(
        "<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in row) + "</tr>\n"
        for row in _body(table)
    )
    items = "".join(f"<li>{text(each)}</li>\n" for each in _footer(table))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(table.title)}</title><style>{STYLE}</style></head>\n<body><main>\n"
        f'<p class="eyebrow">{text(table.name)}</p><h1>{text(table.title)}</h1>\n'
        f"<p>Source: {text(table.source)}</p>\n"
        f'<div class="card"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>'
        f"</div>\n<ul>{items}</ul>\n</main></body></html>\n"
    )


def comma_separated(table: Table) -> str:
    """The columns of `record` that are single values, in full precision."""
    names = list(_flat(record(table.rows[0]))) if table.rows else []
    file = io.StringIO()
    writer = csv.DictWriter(file, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_flat(record(row)) for row in table.rows)
    return file.getvalue()


def as_json(table: Table) -> str:
    content = {
        "name": table.name,
        "title": table.title,
        "source": table.source,
        "rows": [record(row) for row in table.rows],
        "legend": dict(legend(table)),
        "notes": list(table.notes),
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


FORMATS = {".md": markdown, ".html": html, ".csv": comma_separated, ".json": as_json}


def legend(table: Table) -> list[tuple[str, str]]:
    """The verdicts that occur, and what they mean."""
    found = {verdict(row) for row in table.rows}
    return [(name, meaning) for name, meaning in LEGEND.items() if name in found]


def _body(table: Table) -> list[tuple[str, ...]]:
    """One text for each of `COLUMNS`; the last one has numbers of `_remarks`."""
    remarks = _remarks(table)
    return [
        _cells(row, [remarks.index(each) + 1 for each in _remarks_of(row)]) for row in table.rows
    ]


def _remarks(table: Table) -> list[str]:
    """Sources and errata, each once, in the order of the rows."""
    return list(dict.fromkeys(each for row in table.rows for each in _remarks_of(row)))


def _remarks_of(row: Row) -> list[str]:
    source = f"published in: {row.published.source}" if row.published else ""
    return [each for each in (source, row.erratum) if each]


def _footer(table: Table) -> list[str]:
    remarks = [f"[{number}] {each}" for number, each in enumerate(_remarks(table), start=1)]
    return [*remarks, *(f"{name}: {meaning}" for name, meaning in legend(table)), *table.notes]


def _cells(row: Row, remarks: list[int]) -> tuple[str, ...]:
    printed = row.published.printed if row.published else "-"
    if row.published and row.published.spread:
        printed += f" ± {row.published.spread:g}"
    shown = " ".join(f"[{number}]" for number in remarks)
    return row.what, printed, _ours(row), _difference(row), verdict(row), row.how, shown


def record(row: Row) -> dict[str, Any]:
    """A row as plain values; `ours` is a mean where it was trained."""
    ours, paper = row.ours, row.published
    trained = ours._asdict() if isinstance(ours, Measurement) else {}
    value = number(ours)
    return {
        "what": row.what,
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
    }


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    return values | {"runs": " ".join(values["runs"])}


def _ours(row: Row) -> str:
    ours, decimals = row.ours, row.decimals
    if ours is None:
        return "-"
    if isinstance(ours, str):
        return ours
    if isinstance(ours, int):
        return f"{ours:,}"
    if isinstance(ours, float):
        return f"{ours:,.{decimals}f}"
    spread = "" if ours.std is None else f" ± {ours.std:.{decimals}f}"
    return f"{ours.mean:,.{decimals}f}{spread} (n = {ours.count})"


def _difference(row: Row) -> str:
    found = difference(row)
    if found is None:
        return "-"
    if found == 0:
        return "0"
    shown = f"{found:+,}" if isinstance(found, int) else f"{found:+,.{row.decimals}f}"
    value = row.published.value
    return f"{shown} ({found / value:+.1%})" if value else shown


def _line(texts: Iterable[str], widths: list[int]) -> str:
    padded = (each.ljust(width) for each, width in zip(texts, widths, strict=True))
    return f"| {' | '.join(padded)} |"


def _inline(value: str) -> str:
    """One line that cannot end its cell."""
    return " ".join(value.split()).replace("|", "\\|")
