"""Finished runs, read from their folders: one metric as a mean with its spread over seeds."""

import json
import os
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

NO_RUNS_INSIDE = frozenset({"checkpoints", "images", "wandb"})


class Measurement(NamedTuple):
    """A metric of finished runs that differ in their seeds alone; `std` is None for one seed."""

    mean: float
    std: float | None
    count: int
    runs: tuple[str, ...]
    preset: str
    data: str
    note: str
    device: str


class Run(NamedTuple):
    """One finished run; `name` is its folder below the folder of the runs.

    `data` says which data sets and from where, and of how many images where the run took the first
    ones alone; `note` what a data set lacks. `steps_per_second` is that of its last session.
    """

    name: str
    started: str
    preset: str
    config: dict[str, Any]
    data: str
    note: str
    device: str
    metrics: dict[str, float]
    steps_per_second: float | None = None
    platform: str = ""


def walk_runs(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Every folder below `root` that may hold runs or be one, with the names of its files.

    By name, in whatever depth; links are followed once; hidden folders and the insides of a run
    are not entered.
    """
    visited = set()
    for parent, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(parent)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(
            each for each in folders if each not in NO_RUNS_INSIDE and not each.startswith(".")
        )
        yield Path(parent), files


def run_folders(runs_dir: Path) -> list[Path]:
    """Every folder with a run's record."""
    return sorted(path for path, files in walk_runs(runs_dir) if "config.json" in files)


def finished_runs(runs_dir: Path, experiment: str) -> list[Run]:
    """Every finished run of an experiment, in whatever depth below `runs_dir`, the oldest first.

    A folder that is not there holds none; a run that has not finished, or whose record cannot be
    read, is passed over.
    """
    runs = [_read(runs_dir, path, experiment) for path in run_folders(runs_dir)]
    return sorted((run for run in runs if run is not None), key=lambda run: run.started)


def grouped(
    runs: list[Run], ignored: frozenset[str] = frozenset({"seed"})
) -> Iterator[tuple[dict[str, Any], list[Run]]]:
    """Runs of one preset, data and device that are alike in all fields but `ignored`."""
    groups: dict[str, tuple[dict[str, Any], list[Run]]] = {}
    for run in runs:
        config = {name: value for name, value in run.config.items() if name not in ignored}
        alike = [config, run.preset, run.data, run.note, run.device]
        groups.setdefault(json.dumps(alike, sort_keys=True), (config, []))[1].append(run)
    yield from groups.values()


def measurements(
    runs: list[Run], metric: str, ignored: frozenset[str] = frozenset({"seed"})
) -> Iterator[tuple[dict[str, Any], Measurement]]:
    """Runs that differ in their seeds alone, as one measurement each, with their config.

    `metric` is of the last evaluation. Of two runs of one seed the later counts; `ignored` are the
    fields of the config in which runs may differ. The spread is the sample's, n - 1. Runs without
    the metric are passed over.
    """
    having = [run for run in runs if f"eval/{metric}" in run.metrics]
    for config, members in grouped(having, ignored):
        yield (
            config,
            _measure(list({run.config.get("seed"): run for run in members}.values()), metric),
        )


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


def _read(runs_dir: Path, folder: Path, experiment: str) -> Run | None:
    try:
        record = json.loads((folder / "config.json").read_text("utf-8"))
        if record["experiment"] != experiment:
            return None
        summary = json.loads((folder / "summary.json").read_text("utf-8"))
        if summary["status"] != "finished":
            return None
        return Run(
            name=folder.relative_to(runs_dir).as_posix(),
            started=record["started"],
            preset=record["preset"],
            config=record["config"],
            data=_data(record),
            note="; ".join(each["note"] for each in record["data"] if each["note"]),
            device=record["device"]["kind"],
            metrics=summary["metrics"],
            steps_per_second=summary.get("steps_per_second"),
            platform=record["device"].get("platform", ""),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _data(record: dict[str, Any]) -> str:
    found = ", ".join(f"{each['dataset']} ({each['source']})" for each in record["data"])
    first = record["config"].get("train_images")
    return f"{found}, its first {first:,} training images" if first else found
