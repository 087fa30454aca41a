"""Sweeps and seeds as the index lists them: from their files, and from the runs below them."""

import json
import math
import os
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from lecture_models.reports.html import number
from lecture_models.reports.index_folders import REPORT, SEEDS, SWEEP
from lecture_models.reports.index_run import IndexedRun
from lecture_models.runs.reader import as_list, as_number, as_object

MOST_METRICS = 4  # Of seeds, on their line.


class Group(NamedTuple):
    """One line; `best` and `spreads` are texts, empty where nothing is known."""

    folder: Path
    name: str
    experiment: str
    kind: str
    started: str
    state: str
    best: str
    spreads: tuple[str, ...]
    has_report: bool


def read_sweep(folder: Path, runs: list[IndexedRun]) -> Group | None:
    """None where its file cannot be read. The trials are those whose folders are on this machine.

    Another version of a sweep, or W&B's own, may have fewer keys.
    """
    record = _read(folder / SWEEP)
    if record is None:
        return None
    spec = as_object(record.get("spec"))
    metric = as_object(spec.get("metric"))
    members = _below(folder, runs)
    return Group(
        folder=folder,
        name=str(record.get("name") or folder.name),
        experiment=str(record.get("experiment") or ""),
        kind=str(spec.get("method") or ""),
        started=str(record.get("started") or ""),
        state=_state(members, "trial"),
        best=_best(members, str(metric.get("name") or ""), metric.get("goal") == "maximize"),
        spreads=(),
        has_report=(folder / REPORT).is_file(),
    )


def read_seeds(folder: Path, runs: list[IndexedRun]) -> Group | None:
    """None where its file cannot be read."""
    record = _read(folder / SEEDS)
    if record is None:
        return None
    members = _below(folder, runs)
    spreads = [
        _spread(name, as_object(each))
        for name, each in list(as_object(record.get("metrics")).items())[:MOST_METRICS]
    ]
    return Group(
        folder=folder,
        name=folder.name,
        experiment=str(record.get("experiment") or ""),
        kind=str(record.get("preset") or ""),
        started=min((run.facts["started"] for run in members), default=""),
        state=_state(members, "seed") if members else f"{len(as_list(record.get('seeds')))} seeds",
        best="",
        spreads=tuple(spreads),
        has_report=(folder / REPORT).is_file(),
    )


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _below(folder: Path, runs: list[IndexedRun]) -> list[IndexedRun]:
    prefix = f"{folder}{os.sep}"
    return [run for run in runs if str(run.folder).startswith(prefix)]


def _state(members: list[IndexedRun], noun: str) -> str:
    counted = Counter(run.facts["status"] for run in members)
    states = ", ".join(f"{count} {status}" for status, count in counted.most_common())
    return f"{len(members)} {noun}{'s' * (len(members) != 1)}" + (f": {states}" if states else "")


def _best(members: list[IndexedRun], metric: str, largest: bool) -> str:
    """Among the finished ones, by the metric's last value: `eval/loss 0.12 (trials/0003)`."""
    for name in (metric, f"eval/{metric}", f"train/{metric}"):
        found = [
            (run.metrics[name], run.folder.name)
            for run in members
            if run.facts["status"] == "finished" and math.isfinite(run.metrics.get(name, math.nan))
        ]
        if metric and found:
            value, where = (max if largest else min)(found)
            return f"{name} {number(value)} ({where})"
    return ""


def _spread(name: str, each: dict[str, Any]) -> str:
    mean, std, count = (as_number(each.get(key)) for key in ("mean", "std", "n"))
    shown = "-" if mean is None else number(mean) + ("" if std is None else f" ± {number(std)}")
    return f"{name} {shown}" + ("" if count is None else f" (n = {number(count)})")
