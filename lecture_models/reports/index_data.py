"""What the index embeds for its script: facts, metrics and curves of all runs, as JSON."""

import json
import math
import os
import urllib.parse
from pathlib import Path
from typing import Any

from lecture_models.reports.charts import Points
from lecture_models.reports.index_run import MOST_POINTS, IndexedRun, thinned

ALL_POINTS = 400_000  # Of all curves together: some 5 MB.
FEWEST_POINTS = 20


def runs_json(runs: list[IndexedRun], root: Path, page: Path) -> str:
    """In the order given; `page` is the file that links to them."""
    varied = varied_settings(runs)
    return embedded([_run(run, root, page, varied[run.facts["experiment"]]) for run in runs])


def curves_json(runs: list[IndexedRun]) -> str:
    """One flat list [step, value, step, value, ...] for each metric of each run.

    Five digits, which no eye tells apart; None where a value is not finite. The more curves, the
    fewer points each, so that the page opens at once.
    """
    count = sum(len(run.curves) for run in runs)
    most = max(FEWEST_POINTS, min(MOST_POINTS, ALL_POINTS // max(count, 1)))
    return embedded(
        [
            {name: _flat(thinned(points, most)) for name, points in run.curves.items()}
            for run in runs
        ]
    )


def varied_settings(runs: list[IndexedRun]) -> dict[str, set[str]]:
    """By experiment, the fields of the config in which its runs differ."""
    seen: dict[str, dict[str, set[str]]] = {}
    for run in runs:
        fields = seen.setdefault(run.facts["experiment"], {})
        for name, value in run.config.items():
            fields.setdefault(name, set()).add(repr(value))
    return {
        experiment: {name for name, values in fields.items() if len(values) > 1 and name != "seed"}
        for experiment, fields in seen.items()
    }


def embedded(content: Any) -> str:
    """JSON that can stand in a page's script element: no text of it ends the element."""
    dense = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return dense.replace("<", "\\u003c")


def name_of(folder: Path, root: Path) -> str:
    return folder.name if folder == root else folder.relative_to(root).as_posix()


def address(path: Path, page: Path) -> str:
    """Relative, so that folder and page may move together; any byte of a name is quoted."""
    relative = os.path.relpath(os.path.abspath(path), os.path.abspath(page.parent))  # noqa: PTH100 - resolve() would follow links that the browser does not.
    quoted = urllib.parse.quote(os.fsencode(relative.replace(os.sep, "/")))
    return quoted if relative.startswith("..") else f"./{quoted}"  # A colon is no scheme then.


def _run(run: IndexedRun, root: Path, page: Path, varied: set[str]) -> dict[str, Any]:
    settings = {name: value for name, value in run.config.items() if name in varied}
    return {
        **run.facts,
        "run": name_of(run.folder, root),
        "seed": _plain(run.facts["seed"]),
        "href": address(run.folder, page),
        "report": run.has_report,
        "metrics": {name: _number(value) for name, value in run.metrics.items()},
        "settings": {name: _plain(value) for name, value in settings.items()},
        "pictures": [
            (name, step, urllib.parse.quote(os.fsencode(file))) for name, step, file in run.pictures
        ],
    }


def _plain(value: Any) -> str | int | float | None:
    """A setting as one value; lists with commas, as flags have them."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, bool) or not isinstance(value, str | int | float | None):
        return str(value)
    return _number(value) if isinstance(value, float) else value


def _number(value: float) -> float | str:
    """JSON has no NaN and no Infinity: their names, which JavaScript's Number() reads."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _flat(points: Points) -> list[int | float | None]:
    return [
        each
        for step, value in points
        for each in (step, None if value is None else float(f"{value:.5g}"))
    ]
