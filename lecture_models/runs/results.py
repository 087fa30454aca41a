"""Reads finished runs, and summarizes a metric as its mean and spread over seeds."""

import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from lecture_models.runs.json_values import as_number, as_object
from lecture_models.runs.past_run import numbers
from lecture_models.runs.reader import read_config, read_summary
from lecture_models.runs.run_folders import run_folders


class Measurement(NamedTuple):
    """Holds a metric of finished runs that differ only in their seeds.

    Attributes:
        mean: the mean over the seeds.
        std: the sample standard deviation (n - 1); None for one seed.
        count: the number of seeds.
        runs: the names of the runs.
        preset: the preset of the runs.
        data: see `FinishedRun`.
        note: see `FinishedRun`.
        device: see `FinishedRun`.
    """

    mean: float
    std: float | None
    count: int
    runs: tuple[str, ...]
    preset: str
    data: str
    note: str
    device: str


class FinishedRun(NamedTuple):
    """Holds the result of one finished run.

    Attributes:
        name: path of the run's folder, relative to the folder of the runs.
        started: time of the start, in ISO 8601.
        preset: the name of the preset.
        config: the fields of the experiment's Config; tuples are lists.
        data: names and sources of the data sets, and how many training images if not all.
        note: what is special about the data, such as "fallback: mnist absent"; "" for nothing.
        device: kind of the device, such as the name of the processor.
        metrics: the last value of each metric, by `eval/NAME` and `train/NAME`.
        steps_per_second: speed of the last session; None if it took no steps.
        platform: "cpu", "gpu" or "tpu"; "" if it was not recorded.
        wall_time_s: wall-clock time of all its sessions in seconds; None if it was not recorded.
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
    wall_time_s: float | None = None


def finished_runs(runs_dir: Path, experiment: str) -> list[FinishedRun]:
    """Returns every finished run of an experiment below `runs_dir`, the oldest first.

    Runs that have not finished, or whose records are damaged, are skipped. A folder that does not
    exist holds no runs.
    """
    runs = [finished_run(runs_dir, folder, experiment) for folder in run_folders(runs_dir)]
    return sorted((run for run in runs if run is not None), key=lambda run: run.started)


def grouped(
    runs: list[FinishedRun], ignored: frozenset[str] = frozenset({"seed"})
) -> Iterator[tuple[dict[str, Any], list[FinishedRun]]]:
    """Groups runs that have the same preset, data, device and config.

    Args:
        runs: the runs of one experiment.
        ignored: fields of the config that may differ within a group.

    Yields:
        The config of a group, without the ignored fields, and its runs.
    """
    groups: dict[str, tuple[dict[str, Any], list[FinishedRun]]] = {}
    for run in runs:
        config = {name: value for name, value in run.config.items() if name not in ignored}
        alike = [config, run.preset, run.data, run.note, run.device]
        groups.setdefault(json.dumps(alike, sort_keys=True), (config, []))[1].append(run)
    yield from groups.values()


def measurements(
    runs: list[FinishedRun], metric: str, ignored: frozenset[str] = frozenset({"seed"})
) -> Iterator[tuple[dict[str, Any], Measurement]]:
    """Measures a metric over the seeds of each group of runs.

    Args:
        runs: the runs of one experiment, the oldest first. Runs without the metric are skipped;
            of several runs with the same seed in a group, the last counts.
        metric: name of a metric of the last evaluation, without `eval/`.
        ignored: fields of the config that may differ within a group.

    Yields:
        The config of a group, without the ignored fields, and its measurement.
    """
    measured = [run for run in runs if f"eval/{metric}" in run.metrics]
    for config, members in grouped(measured, ignored):
        by_seed = {run.config.get("seed"): run for run in members}
        chosen = list(by_seed.values())
        yield config, measure(chosen, [run.metrics[f"eval/{metric}"] for run in chosen])


def measure(runs: list[FinishedRun], values: list[float]) -> Measurement:
    """Returns the mean and the spread of one value of each run; there must be a run."""
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


def finished_run(runs_dir: Path, folder: Path, experiment: str) -> FinishedRun | None:
    """Returns one run below `runs_dir`; None unless it is of the experiment and has finished."""
    record = read_config(folder).intact
    if record.get("experiment") != experiment:
        return None
    summary = read_summary(folder).intact
    if summary.get("status") != "finished":
        return None
    device = as_object(record.get("device"))
    notes = [str(source["note"]) for source in record["data"] if source.get("note")]
    return FinishedRun(
        name=folder.relative_to(runs_dir).as_posix(),
        started=record["started"],
        preset=record["preset"],
        config=record["config"],
        data=_data(record),
        note="; ".join(notes),
        device=str(device.get("kind", "")),
        metrics=numbers(summary["metrics"]),
        steps_per_second=as_number(summary.get("steps_per_second")),
        platform=str(device.get("platform", "")),
        wall_time_s=as_number(summary.get("wall_time_s")),
    )


def _data(record: dict[str, Any]) -> str:
    sources = [f"{source['dataset']} ({source.get('source')})" for source in record["data"]]
    data, first = ", ".join(sources), record["config"].get("train_images")
    is_part = type(first) is int and first > 0
    return f"{data}, its first {first:,} training images" if is_part else data
