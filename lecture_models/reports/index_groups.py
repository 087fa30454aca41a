"""Reads sweeps and seeds as the index lists them: from their files, and from the runs below."""

import json
import math
import os
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from lecture_models.reports.html import number
from lecture_models.reports.index_folders import REPORT, SEEDS, SWEEP
from lecture_models.reports.index_run import IndexedRun
from lecture_models.runs.json_values import as_list, as_number, as_object

MOST_METRICS = 4  # Of seeds, on their line.


class RunGroup(NamedTuple):
    """Describes a sweep, or several seeds of one experiment, in one line of the index.

    Attributes:
        folder: the folder of the group.
        name: the name of a sweep; of seeds, the name of the folder.
        experiment: the name of the experiment.
        kind: the method of a sweep, or the preset of seeds.
        started: time of the first start, in ISO 8601; "" if it is not known.
        state: how many runs there are, and in which state.
        results: the best trial of a sweep, or mean and spread of some metrics over seeds.
        has_report: whether report.html exists.
    """

    folder: Path
    name: str
    experiment: str
    kind: str
    started: str
    state: str
    results: tuple[str, ...]
    has_report: bool


def read_sweep(folder: Path, runs: list[IndexedRun]) -> RunGroup | None:
    """Reads a sweep; its trials are those runs whose folders are on this machine.

    A sweep of another version, or of W&B itself, may have fewer keys. Returns None if the file
    cannot be read.
    """
    record = _read(folder / SWEEP)
    if record is None:
        return None
    spec = as_object(record.get("spec"))
    metric = as_object(spec.get("metric"))
    members = _below(folder, runs)
    best = _best(members, str(metric.get("name") or ""), metric.get("goal") == "maximize")
    return RunGroup(
        folder=folder,
        name=str(record.get("name") or folder.name),
        experiment=str(record.get("experiment") or ""),
        kind=str(spec.get("method") or ""),
        started=str(record.get("started") or ""),
        state=_state(members, "trial"),
        results=(best,) if best else (),
        has_report=(folder / REPORT).is_file(),
    )


def read_seeds(folder: Path, runs: list[IndexedRun]) -> RunGroup | None:
    """Reads several seeds of one experiment. Returns None if the file cannot be read."""
    record = _read(folder / SEEDS)
    if record is None:
        return None
    members = _below(folder, runs)
    metrics = list(as_object(record.get("metrics")).items())[:MOST_METRICS]
    return RunGroup(
        folder=folder,
        name=folder.name,
        experiment=str(record.get("experiment") or ""),
        kind=str(record.get("preset") or ""),
        started=min((run.facts["started"] for run in members), default=""),
        state=_state(members, "seed") if members else f"{len(as_list(record.get('seeds')))} seeds",
        results=tuple(_spread(name, as_object(spread)) for name, spread in metrics),
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
    """Returns the best finished run by the metric's last value: `eval/loss 0.12 (0003)`."""
    for name in (metric, f"eval/{metric}", f"train/{metric}"):
        values = [
            (run.metrics[name], run.folder.name)
            for run in members
            if run.facts["status"] == "finished" and math.isfinite(run.metrics.get(name, math.nan))
        ]
        if metric and values:
            value, folder = (max if largest else min)(values)
            return f"{name} {number(value)} ({folder})"
    return ""


def _spread(name: str, spread: dict[str, Any]) -> str:
    mean, std, count = (as_number(spread.get(key)) for key in ("mean", "std", "n"))
    shown = "-" if mean is None else number(mean) + ("" if std is None else f" ± {number(std)}")
    return f"{name} {shown}" + ("" if count is None else f" (n = {number(count)})")
