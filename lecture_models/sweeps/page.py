"""A sweep on one page, and on the terminal: the best config, every trial, what mattered."""

import os
import shlex
from pathlib import Path
from typing import Any

from lecture_models import files
from lecture_models.reports.html import band, duration, number, section, text
from lecture_models.reports.markdown import markdown_columns
from lecture_models.reports.page import whole_page
from lecture_models.sweeps.charts import best_curve, parallel, scatter
from lecture_models.sweeps.results import LEAST_FOR_IMPORTANCE, Results, Row, best_so_far

MOST_ON_TERMINAL = 20
WORDS = {"minimize": "the lowest", "maximize": "the highest"}


def terminal(found: Results, program: str) -> str:
    """The best first; trials without a value come last."""
    spec = found.sweep.spec
    header = ["trial", "state", spec.metric, *spec.parameters]
    rows = _ranked(found)
    shown = [
        [
            str(row.index),
            row.state,
            _value(row.value),
            *(_cell(row, name) for name in spec.parameters),
        ]
        for row in rows[:MOST_ON_TERMINAL]
    ]
    left = f"and {len(rows) - MOST_ON_TERMINAL} more\n" if len(rows) > MOST_ON_TERMINAL else ""
    importance = ", ".join(f"{name} {share:.2f}" for name, share in found.importance.items())
    lines = [f"importance: {importance}\n"] if importance else []
    if found.best:
        lines.append(
            f"best: trial {found.best.index}, {spec.metric} {number(found.best.value)} "
            f"({WORDS[spec.goal]})\n  {_rerun(found.best, program)}\n"
        )
    return f"{_counts(found)}\n\n{markdown_columns(header, shown)}{left}\n{''.join(lines)}"


def write_report(found: Results, program: str, command: str) -> Path:
    """Writes `report.html` in the sweep's folder, whatever is done of it, and returns its path."""
    sweep = found.sweep
    title = f"Sweep {sweep.name}"
    body = (
        f'<p class="eyebrow">{text(sweep.folder.name)} · {text(sweep.spec.method)}</p>'
        f"<h1>{text(title)}</h1><p>{text(_counts(found))}</p>"
        + _best(found, program)
        + _pictures(found)
        + _importance(found)
        + section("Trials", _table(found))
        + section("To go on with it", f"<pre>{text(command)}</pre>")
        + "<footer>made by lecture-models</footer>"
    )
    page = whole_page(title, body)
    path = sweep.folder / "report.html"
    files.write_bytes(path, page.encode())
    return path


def _ranked(found: Results) -> list[Row]:
    sign = 1 if found.sweep.spec.goal == "minimize" else -1
    done = sorted((r for r in found.rows if r.state == "finished"), key=lambda r: sign * r.value)
    return done + [row for row in found.rows if row.state != "finished"]


def _counts(found: Results) -> str:
    counted = ", ".join(f"{count} {state}" for state, count in found.counts.items())
    return f"{len(found.rows)} trials: {counted or 'none yet'}"


def _value(value: float | None) -> str:
    return "" if value is None else number(value)


def _cell(row: Row, name: str) -> str:
    value = row.values.get(name, "")
    return number(value) if isinstance(value, float) else str(value)


def _rerun(row: Row, program: str) -> str:
    return shlex.join(["python", program, *row.arguments])


def _best(found: Results, program: str) -> str:
    best, spec = found.best, found.sweep.spec
    if best is None:
        return band("alarm", "No trial has finished", f"<p>{text(_first_error(found))}</p>")
    cells = {spec.metric: number(best.value), **{n: _cell(best, n) for n in spec.parameters}}
    facts = "".join(f"<div><dt>{text(k)}</dt><dd>{text(v)}</dd></div>" for k, v in cells.items())
    body = (
        f'<dl class="facts">{facts}</dl><h3>To run it again</h3>'
        f"<pre>{text(_rerun(best, program))}</pre><p>{_link(found, best, 'its report')}</p>"
    )
    return section(f"Best: trial {best.index}, {WORDS[spec.goal]}", body)


def _first_error(found: Results) -> str:
    return next((row.error for row in found.rows if row.error), "")


def _pictures(found: Results) -> str:
    spec = found.sweep.spec
    rows = [row for row in found.rows if row.state == "finished"]
    if len(rows) < 2:
        return ""
    values = [row.value for row in rows]
    labels = [f"trial {row.index}" for row in rows]
    curve = best_curve(spec.metric, best_so_far(rows, spec.goal), [r.index for r in rows], values)
    slices = "".join(
        scatter(name, spec.metric, [r.values[name] for r in rows], values, labels, each.log)
        for name, each in spec.parameters.items()
    )
    names = [*spec.parameters, spec.metric]
    logs = [*(each.log for each in spec.parameters.values()), False]
    lines: list[list[Any]] = [[*(r.values[n] for n in spec.parameters), r.value] for r in rows]
    return section("Progress and slices", f'<div class="charts">{curve}{slices}</div>') + section(
        "Parallel coordinates", parallel(names, logs, lines, spec.goal, labels)
    )


def _importance(found: Results) -> str:
    if not found.importance:
        why = f"It takes {LEAST_FOR_IMPORTANCE} finished trials of two parameters, not all alike."
        return (
            section("Importance", f"<p>{why}</p>") if len(found.sweep.spec.parameters) > 1 else ""
        )
    rows = "".join(
        f'<tr><th class="mono">{text(name)}</th><td class="number">{share:.2f}</td></tr>'
        for name, share in found.importance.items()
    )
    note = "<p>The share of the metric's variance that a parameter explains (functional ANOVA).</p>"
    return section("Importance", f'{note}<div class="card"><table>{rows}</table></div>')


def _table(found: Results) -> str:
    spec = found.sweep.spec
    names = ["Trial", "State", spec.metric, *spec.parameters, "Steps", "Time", "Tries"]
    head = "".join(f"<th>{text(name)}</th>" for name in names)
    body = "".join(_row(found, row) for row in _ranked(found))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="card" style="overflow-x:auto">{table}</div>'


def _row(found: Results, row: Row) -> str:
    cells = [
        _link(found, row, f"{row.index:04d}"),
        text(row.state) + (f": {text(row.error)}" if row.error and row.state != "finished" else ""),
        text(_value(row.value)),
        *(text(_cell(row, name)) for name in found.sweep.spec.parameters),
        text("" if row.step is None else f"{row.step:,}"),
        text(duration(row.seconds) if row.seconds is not None else ""),
        str(row.tries),
    ]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _link(found: Results, row: Row, words: str) -> str:
    """To the trial's own report, where this machine has it."""
    if not (row.folder / "report.html").exists():
        return text(words)
    place = os.path.relpath(row.folder / "report.html", found.sweep.folder)
    return f'<a href="{text(place)}">{text(words)}</a>'
