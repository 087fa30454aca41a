"""Reads a run as the index shows it: facts, last metrics, thinned curves, newest images."""

import math
from pathlib import Path
from typing import Any, NamedTuple

from lecture_models.reports.charts import Points, finite, thin
from lecture_models.runs.artifacts import IMAGES, artifact_files
from lecture_models.runs.json_values import as_list, as_object
from lecture_models.runs.past_run import PastRun, read_past_run
from lecture_models.runs.reader import read_metrics
from lecture_models.runs.recorded_run import Series, series_by_name

MOST_POINTS = 500  # Of one curve.


class IndexedRun(NamedTuple):
    """Holds what the index shows of a run.

    Attributes:
        folder: the run's folder.
        facts: experiment, status, preset, seed, start, device, data, and the number of alarms.
        best: the metric by which the run keeps its best checkpoint, and "minimize" or "maximize";
            None if the experiment names none.
        config: the recorded fields of the Config.
        metrics: the last value of each metric, by the name `train/NAME` or `eval/NAME`.
        ends: the lowest and the highest value of each metric that has a finite value.
        curves: at most 500 points of each metric.
        images: the newest image of each name, as (name, step, file name).
        has_report: whether report.html exists.
    """

    folder: Path
    facts: dict[str, Any]
    best: tuple[str, str] | None
    config: dict[str, Any]
    metrics: dict[str, float]
    ends: dict[str, tuple[float, float]]
    curves: dict[str, Points]
    images: list[tuple[str, int, str]]
    has_report: bool


def read_indexed_run(folder: Path, most_lines: int) -> IndexedRun:
    """Reads a run; of a long metrics.jsonl only about `most_lines` lines.

    Raises:
        RunFolderError: the folder is damaged, or not a run.
    """
    past = read_past_run(folder)
    records = read_metrics(folder, most_lines).records
    series = series_by_name(records)
    return IndexedRun(
        folder=folder,
        facts=_facts(past),
        best=_best(past),
        config=past.config,
        metrics=past.metrics | {name: points[-1][1] for name, points in series.items()},
        ends={name: ends for name, points in series.items() if (ends := _ends(points))},
        curves={name: thinned(points, MOST_POINTS) for name, points in series.items()},
        images=[
            (name, files[-1][0], files[-1][1].name)
            for name, files in artifact_files(folder, IMAGES, records).items()
        ],
        has_report=(folder / "report.html").is_file(),
    )


def thinned(series: Series | Points, most: int) -> Points:
    """Returns at most `most` points; a value that is not finite is None, and breaks the line."""
    return thin([(step, finite(value)) for step, value in series], most)


def _best(past: PastRun) -> tuple[str, str] | None:
    best = as_object(past.record.get("best"))
    return (str(best["metric"]), str(best.get("goal"))) if "metric" in best else None


def _ends(points: Series) -> tuple[float, float] | None:
    values = [value for _, value in points if math.isfinite(value)]
    return (min(values), max(values)) if values else None


def _facts(past: PastRun) -> dict[str, Any]:
    record = past.record
    device = as_object(record.get("device"))
    sources = [as_object(source) for source in record["data"]]
    notes = [str(source["note"]) for source in sources if source.get("note")]
    return {
        "experiment": past.experiment,
        "status": past.status,
        "preset": record["preset"],
        "seed": past.config.get("seed"),
        "started": record["started"],
        "device": str(device.get("kind") or device.get("platform") or ""),
        "data": ", ".join(str(source.get("dataset", "")) for source in sources),
        "note": "; ".join(notes),
        "fallback": any("fallback:" in note for note in notes),
        "alarms": len(as_list(past.summary.get("alarms"))),
    }
