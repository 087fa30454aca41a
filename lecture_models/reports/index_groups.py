"""Reads sweeps and seeds as the index lists them: from their files, and from the runs below."""

import json
import math
import os
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from lecture_models.reports.html import apart, number, with_spread
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
        parameters: the fields of the Config that a sweep varies.
        best: the metric of a sweep as its trials name it, and "minimize" or "maximize"; None if
            no trial has it.
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
    parameters: tuple[str, ...] = ()
    best: tuple[str, str] | None = None


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
    goal = "maximize" if metric.get("goal") == "maximize" else "minimize"
    members = _below(folder, runs)
    name = _metric_of(members, str(metric.get("name") or ""))
    best = _best(members, name, goal)
    return RunGroup(
        folder=folder,
        name=str(record.get("name") or folder.name),
        experiment=str(record.get("experiment") or ""),
        kind=str(spec.get("method") or ""),
        started=str(record.get("started") or ""),
        state=_state(members, "trial"),
        results=(best,) if best else (),
        has_report=(folder / REPORT).is_file(),
        parameters=_varied(as_object(spec.get("parameters"))),
        best=(name, goal) if name else None,
    )


def read_seeds(folder: Path, runs: list[IndexedRun]) -> RunGroup | None:
    """Reads several seeds of one experiment. Returns None if the file cannot be read."""
    record = _read(folder / SEEDS)
    if record is None:
        return None
    members = _below(folder, runs)
    metrics = as_object(record.get("metrics"))
    known = {f"eval/{name}" for name in metrics} & {run.best[0] for run in members if run.best}
    names = sorted(metrics, key=lambda name: f"eval/{name}" not in known)
    results = [_spread(name, as_object(metrics[name])) for name in names[:MOST_METRICS]]
    if len(names) > MOST_METRICS:
        results.append(f"and {len(names) - MOST_METRICS} more")
    return RunGroup(
        folder=folder,
        name=folder.name,
        experiment=str(record.get("experiment") or ""),
        kind=str(record.get("preset") or ""),
        started=min((run.facts["started"] for run in members), default=""),
        state=_state(members, "seed") if members else f"{len(as_list(record.get('seeds')))} seeds",
        results=tuple(results),
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


def _varied(parameters: dict[str, Any]) -> tuple[str, ...]:
    """Returns the parameters of a sweep that have more than one value."""
    constant = ("value", "constant")
    return tuple(
        name
        for name, choice in parameters.items()
        if "value" not in as_object(choice)
        and as_object(choice).get("distribution") not in constant
        and len(as_list(as_object(choice).get("values"))) != 1
    )


def _metric_of(members: list[IndexedRun], metric: str) -> str:
    """Returns the name by which the runs have a sweep's metric; "" if none has it."""
    names = (metric, f"eval/{metric}", f"train/{metric}")
    return next((name for name in names if any(name in run.metrics for run in members)), "")


def _best(members: list[IndexedRun], metric: str, goal: str) -> str:
    """Returns the best finished run by the metric's last value: `eval/loss 0.12 (0003)`."""
    values = {
        run.folder.name: run.metrics[metric]
        for run in members
        if run.facts["status"] == "finished" and math.isfinite(run.metrics.get(metric, math.nan))
    }
    if not values:
        return ""
    folder = (max if goal == "maximize" else min)(values, key=values.__getitem__)
    return f"{metric} {number(values[folder], apart(values.values()))} ({folder})"


def _spread(name: str, spread: dict[str, Any]) -> str:
    mean, std, count = (as_number(spread.get(key)) for key in ("mean", "std", "n"))
    shown = "-" if mean is None else number(mean)
    if mean is not None and std is not None:
        shown = " ± ".join(with_spread(mean, std))
    return f"{name} {shown}" + ("" if count is None else f" (n = {number(count)})")
