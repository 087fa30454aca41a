"""Shows the results of a sweep, on one page and on the terminal."""

import os
import shlex
import urllib.parse
from pathlib import Path
from typing import Any

from lecture_models.reports.html import alike, cells, duration
from lecture_models.reports.markdown import markdown_columns
from lecture_models.reports.page import write_page
from lecture_models.sweeps.address import HIDDEN
from lecture_models.sweeps.charts import (
    best_curve,
    charted,
    importance_chart,
    parallel_chart,
    slice_chart,
)
from lecture_models.sweeps.results import (
    CUT_SHORT,
    LEAST_FOR_IMPORTANCE,
    SweepResults,
    TrialRow,
)

MOST_ON_TERMINAL = 20
GOALS = {"minimize": "the lowest", "maximize": "the highest"}


def terminal(results: SweepResults, program: str) -> str:
    """Returns the trials as a table, the best first; trials without a value come last."""
    spec = results.sweep.spec
    header = ["trial", "state", spec.metric, *spec.parameters]
    trials, shown = _ranked(results), _cells(results)
    rows = [
        [str(trial.index), trial.state, *shown[trial.index]] for trial in trials[:MOST_ON_TERMINAL]
    ]
    more = len(trials) - MOST_ON_TERMINAL
    lines = [f"and {more} more\n"] if more > 0 else []
    importance = ", ".join(f"{name} {share:.2f}" for name, share in results.importance.items())
    lines += ["\n", f"importance: {importance}\n" if importance else ""]
    if results.best:
        lines.append(
            f"best: trial {results.best.index}, {spec.metric} "
            f"{shown[results.best.index][0]} "
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
    shown = charted(results.rows)
    several = len(shown) > 1
    texts = _cells(results)
    write_page(
        path,
        "sweep.html",
        title=f"Sweep {sweep.name}",
        eyebrow=f"{sweep.folder.name} · {spec.method}",
        progress=_progress(results),
        metric=spec.metric,
        best=results.best and _best(results, results.best, texts[results.best.index], program),
        first_error=next((trial.error for trial in results.rows if trial.error), ""),
        cut_short=[state for state in CUT_SHORT if state in {trial.state for trial in shown}],
        slices=several
        and [
            best_curve(shown, spec),
            *(slice_chart(shown, spec, parameter) for parameter in spec.parameters),
        ],
        parallel=several and parallel_chart(shown, spec),
        importance=results.importance and importance_chart(results.importance, spec.metric),
        unknown_importance=_unknown_importance(results),
        columns=["Trial", "State", spec.metric, *spec.parameters, "Steps", "Time", "Attempts"],
        trials=[_row(results, trial, texts[trial.index]) for trial in _ranked(results)],
        command=command,
        hidden=HIDDEN if HIDDEN in command else "",
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


def _cells(results: SweepResults) -> dict[int, list[str]]:
    """Returns the value and the parameters of each trial, with digits that tell them apart."""
    columns = [
        alike([trial.value for trial in results.rows], absent=""),
        *(
            cells([trial.values.get(name) for trial in results.rows], absent="")
            for name in results.sweep.spec.parameters
        ),
    ]
    rows = zip(*columns, strict=True)
    return {trial.index: list(row) for trial, row in zip(results.rows, rows, strict=True)}


def _rerun(trial: TrialRow, program: str) -> str:
    return shlex.join(["python", program, *trial.arguments])


def _best(results: SweepResults, best: TrialRow, texts: list[str], program: str) -> dict[str, Any]:
    spec = results.sweep.spec
    return {
        "heading": f"Best: trial {best.index}, {GOALS[spec.goal]}",
        "values": dict(zip((spec.metric, *spec.parameters), texts, strict=True)),
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


def _row(results: SweepResults, trial: TrialRow, texts: list[str]) -> dict[str, Any]:
    failed = trial.error and trial.state != "finished"
    return {
        "name": f"{trial.index:04d}",
        "link": _link(results, trial),
        "state": f"{trial.state}: {trial.error}" if failed else trial.state,
        "cells": [
            *texts,
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
