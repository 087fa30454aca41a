"""Finished runs, read from their folders: one metric as a mean with its spread over seeds."""

import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from lecture_models.runtime.table import Measurement


class Run(NamedTuple):
    """One finished run; `name` is its folder below the folder of the runs."""

    name: str
    started: str
    preset: str
    config: dict[str, Any]
    data: str
    note: str
    device: str
    metrics: dict[str, float]


def finished_runs(runs_dir: Path, experiment: str) -> list[Run]:
    """Every finished run of an experiment, in whatever depth below `runs_dir`, the oldest first.

    A folder that is not there holds none; a run that has not finished, or whose record cannot be
    read, is passed over.
    """
    runs = [_read(runs_dir, path, experiment) for path in sorted(runs_dir.rglob("config.json"))]
    return sorted((run for run in runs if run is not None), key=lambda run: run.started)


def measurements(
    runs: list[Run], metric: str, ignored: frozenset[str] = frozenset({"seed"})
) -> Iterator[tuple[dict[str, Any], Measurement]]:
    """Runs that differ in their seeds alone, as one measurement each, with their config.

    `metric` is of the last evaluation. Of two runs of one seed the later counts; `ignored` are the
    fields of the config in which runs may differ. The spread is the sample's, n - 1. Runs without
    the metric are passed over.
    """
    groups: dict[str, dict[Any, Run]] = {}
    for run in runs:
        if f"eval/{metric}" not in run.metrics:
            continue
        config = {name: value for name, value in run.config.items() if name not in ignored}
        alike = [config, run.preset, run.data, run.note, run.device]
        group = groups.setdefault(json.dumps(alike, sort_keys=True), {})
        group[run.config.get("seed")] = run
    for group in groups.values():
        members = list(group.values())
        yield members[0].config, _measure(members, metric)


def _measure(runs: list[Run], metric: str) -> Measurement:
    values = [run.metrics[f"eval/{metric}"] for run in runs]
    return Measurement(
        mean=statistics.fmean(values),
        std=statistics.stdev(values) if len(values) > 1 else None,
        count=len(values),
        runs=tuple(run.name for run in runs),
        preset=runs[0].preset,
        data=runs[0].data,
        note=runs[0].note,
        device=runs[0].device,
    )


def _read(runs_dir: Path, path: Path, experiment: str) -> Run | None:
    try:
        record = json.loads(path.read_text("utf-8"))
        if record["experiment"] != experiment:
            return None
        summary = json.loads(path.with_name("summary.json").read_text("utf-8"))
        if summary["status"] != "finished":
            return None
        return Run(
            name=path.parent.relative_to(runs_dir).as_posix(),
            started=record["started"],
            preset=record["preset"],
            config=record["config"],
            data=", ".join(f"{each['dataset']} ({each['source']})" for each in record["data"]),
            note="; ".join(each["note"] for each in record["data"] if each["note"]),
            device=record["device"]["kind"],
            metrics=summary["metrics"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
