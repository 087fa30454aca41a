"""Prepares what the index of runs embeds for its script: facts, metrics and curves of all runs."""

import math
import os
import urllib.parse
from pathlib import Path
from typing import Any

from lecture_models.reports.charts import flat
from lecture_models.reports.index_groups import RunGroup
from lecture_models.reports.index_run import MOST_POINTS, IndexedRun, thinned

ALL_POINTS = 400_000  # Of all curves together: some 5 MB.
FEWEST_POINTS = 20
DIGITS = 5  # Of a value in a curve; no eye sees more.


def run_records(runs: list[IndexedRun], root: Path, page: Path) -> list[dict[str, Any]]:
    """Returns for each run what the table, the filters and the images show, as plain values.

    Args:
        runs: the runs, in the order of the table.
        root: the folder below which they lie; a run's name is its path from there.
        page: the HTML file that links to them.
    """
    varied = varied_settings(runs)
    groups: dict[str, int] = {}
    return [
        _record(run, root, page, varied[run.facts["experiment"]])
        | {"group": groups.setdefault(_without_seed(run), len(groups))}
        for run in runs
    ]


def _without_seed(run: IndexedRun) -> str:
    """Returns a text that is the same for runs that differ in nothing but their seeds."""
    config = {name: repr(value) for name, value in run.config.items() if name != "seed"}
    return repr((run.facts["experiment"], run.facts["data"], sorted(config.items())))


def curve_records(runs: list[IndexedRun]) -> list[dict[str, list[int | float | None]]]:
    """Returns for each run its curves by metric, each flat: step, value, step, value, and so on.

    The more curves there are, the fewer points each has, so that the page opens at once.
    """
    count = sum(len(run.curves) for run in runs)
    most = max(FEWEST_POINTS, min(MOST_POINTS, ALL_POINTS // max(count, 1)))
    return [
        {name: flat(thinned(points, most), DIGITS) for name, points in run.curves.items()}
        for run in runs
    ]


def goals(runs: list[IndexedRun], sweeps: list[RunGroup]) -> dict[str, str]:
    """Returns "minimize" or "maximize" for each metric of which it is known.

    Where experiments disagree about a metric of the same name, it is not known.
    """
    known: dict[str, set[str]] = {}
    for name, goal in filter(None, [one.best for one in (*runs, *sweeps)]):
        known.setdefault(name, set()).add(goal)
    return {name: goal for name, found in known.items() if len(found) == 1 for goal in found}


def varied_settings(runs: list[IndexedRun]) -> dict[str, set[str]]:
    """Returns by experiment the fields of the Config in which its runs differ, without the seed."""
    seen: dict[str, dict[str, set[str]]] = {}
    for run in runs:
        fields = seen.setdefault(run.facts["experiment"], {})
        for name, value in run.config.items():
            fields.setdefault(name, set()).add(repr(value))
    return {
        experiment: {name for name, values in fields.items() if len(values) > 1 and name != "seed"}
        for experiment, fields in seen.items()
    }


def name_of(folder: Path, root: Path) -> str:
    """Returns the path of a folder from `root`, or the name of `root` itself."""
    return folder.name if folder == root else folder.relative_to(root).as_posix()


def address(path: Path, page: Path) -> str:
    """Returns a link from `page`, relative, so that folder and page may move together."""
    relative = os.path.relpath(os.path.abspath(path), os.path.abspath(page.parent))  # noqa: PTH100 - resolve() would follow links that the browser does not.
    quoted = urllib.parse.quote(os.fsencode(relative.replace(os.sep, "/")))
    return quoted if relative.startswith("..") else f"./{quoted}"  # A colon is no scheme then.


def _record(run: IndexedRun, root: Path, page: Path, varied: set[str]) -> dict[str, Any]:
    settings = {name: value for name, value in run.config.items() if name in varied}
    return {
        **run.facts,
        "run": name_of(run.folder, root),
        "seed": _plain(run.facts["seed"]),
        "href": address(run.folder, page),
        "report": run.has_report,
        "metrics": {name: _number(value) for name, value in run.metrics.items()},
        "ends": run.ends,
        "settings": {name: _plain(value) for name, value in settings.items()},
        "images": [
            (name, step, urllib.parse.quote(os.fsencode(file))) for name, step, file in run.images
        ],
    }


def _plain(value: Any) -> str | int | float | None:
    """Returns a setting as one value; a list with commas, as flags have it."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, bool) or not isinstance(value, str | int | float | None):
        return str(value)
    return _number(value) if isinstance(value, float) else value


def _number(value: float) -> float | str:
    """Returns a number for JSON, which has no NaN: its name, which JavaScript's Number() reads."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
