"""Shows the results of a sweep, on one page and on the terminal."""

import os
import shlex
import urllib.parse
from pathlib import Path
from typing import Any

from lecture_models.reports.html import duration, number
from lecture_models.reports.markdown import markdown_columns
from lecture_models.reports.page import write_page
from lecture_models.sweeps.charts import (
    best_curve,
    importance_chart,
    parallel_chart,
    slice_chart,
)
from lecture_models.sweeps.results import LEAST_FOR_IMPORTANCE, SweepResults, TrialRow

MOST_ON_TERMINAL = 20
GOALS = {"minimize": "the lowest", "maximize": "the highest"}


def terminal(results: SweepResults, program: str) -> str:
    """Returns the trials as a table, the best first; trials without a value come last."""
    spec = results.sweep.spec
    header = ["trial", "state", spec.metric, *spec.parameters]
    trials = _ranked(results)
    rows = [
        [
            str(trial.index),
            trial.state,
            _value(trial.value),
            *(_parameter(trial, name) for name in spec.parameters),
        ]
        for trial in trials[:MOST_ON_TERMINAL]
    ]
    more = len(trials) - MOST_ON_TERMINAL
    lines = [f"and {more} more\n"] if more > 0 else []
    importance = ", ".join(f"{name} {share:.2f}" for name, share in results.importance.items())
    lines += ["\n", f"importance: {importance}\n" if importance else ""]
    if results.best:
        lines.append(
            f"best: trial {results.best.index}, {spec.metric} {number(results.best.value)} "
            f"({GOALS[spec.goal]})\n  {_rerun(results.best, program)}\n"
        )
    return f"{_progress(results)}\n\n{markdown_columns(header, rows)}{''.join(lines)}"


def write_report(results: SweepResults, program: str, command: str) -> Path:
    """Writes `report.html` into the sweep's folder, however far the sweep is, and returns its path.

    Args:
        results: the trials so far.
        program: the name of the script that runs a trial, such as launch.py.
        command: the command that continues the sweep.
    """
    sweep, spec = results.sweep, results.sweep.spec
    path = sweep.folder / "report.html"
    finished = [trial for trial in results.rows if trial.state == "finished"]
    several = len(finished) > 1
    write_page(
        path,
        "sweep.html",
        title=f"Sweep {sweep.name}",
        eyebrow=f"{sweep.folder.name} · {spec.method}",
        progress=_progress(results),
        metric=spec.metric,
        best=_best(results, program),
        first_error=next((trial.error for trial in results.rows if trial.error), ""),
        slices=several
        and [
            best_curve(finished, spec),
            *(slice_chart(finished, spec, parameter) for parameter in spec.parameters),
        ],
        parallel=several and parallel_chart(finished, spec),
        importance=results.importance and importance_chart(results.importance, spec.metric),
        unknown_importance=_unknown_importance(results),
        columns=["Trial", "State", spec.metric, *spec.parameters, "Steps", "Time", "Attempts"],
        trials=[_row(results, trial) for trial in _ranked(results)],
        command=command,
        footer="made by lecture-models",
    )
    return path


def _ranked(results: SweepResults) -> list[TrialRow]:
    sign = 1 if results.sweep.spec.goal == "minimize" else -1
    finished = [trial for trial in results.rows if trial.state == "finished"]
    others = [trial for trial in results.rows if trial.state != "finished"]
    return sorted(finished, key=lambda trial: sign * trial.value) + others


def _progress(results: SweepResults) -> str:
    counts = ", ".join(f"{count} {state}" for state, count in results.counts.items())
    return f"{len(results.rows)} trials: {counts or 'none yet'}"


def _value(value: float | None) -> str:
    return "" if value is None else number(value)


def _parameter(trial: TrialRow, name: str) -> str:
    value = trial.values.get(name, "")
    return number(value) if isinstance(value, float) else str(value)


def _rerun(trial: TrialRow, program: str) -> str:
    return shlex.join(["python", program, *trial.arguments])


def _best(results: SweepResults, program: str) -> dict[str, Any] | None:
    best, spec = results.best, results.sweep.spec
    if best is None:
        return None
    return {
        "heading": f"Best: trial {best.index}, {GOALS[spec.goal]}",
        "values": {
            spec.metric: number(best.value),
            **{name: _parameter(best, name) for name in spec.parameters},
        },
        "command": _rerun(best, program),
        "link": _link(results, best),
    }


def _unknown_importance(results: SweepResults) -> str:
    """Returns why the importances are not known; "" for one parameter, which has all of it."""
    if results.importance or len(results.sweep.spec.parameters) < 2:
        return ""
    return (
        f"Importances need at least {LEAST_FOR_IMPORTANCE} finished trials whose values are not "
        "all equal."
    )


def _row(results: SweepResults, trial: TrialRow) -> dict[str, Any]:
    failed = trial.error and trial.state != "finished"
    return {
        "name": f"{trial.index:04d}",
        "link": _link(results, trial),
        "state": f"{trial.state}: {trial.error}" if failed else trial.state,
        "cells": [
            _value(trial.value),
            *(_parameter(trial, name) for name in results.sweep.spec.parameters),
            "" if trial.step is None else f"{trial.step:,}",
            "" if trial.seconds is None else duration(trial.seconds),
            str(trial.attempts),
        ],
    }


def _link(results: SweepResults, trial: TrialRow) -> str:
    """Returns the address of the trial's own report; "" if this machine does not have it."""
    report = trial.folder / "report.html"
    if not report.exists():
        return ""
    return urllib.parse.quote(os.fsencode(os.path.relpath(report, results.sweep.folder)))
