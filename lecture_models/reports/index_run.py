"""A run as the index shows it: facts, last metrics, thinned curves, newest pictures."""

from pathlib import Path
from typing import Any, NamedTuple

from lecture_models.reports.charts import LARGEST, Points, thin
from lecture_models.runs.past_run import PastRun, read_past_run
from lecture_models.runs.reader import Series, as_list, as_object, pictures_of
from lecture_models.runs.series import read_series

MOST_POINTS = 100  # Of one curve.


class IndexedRun(NamedTuple):
    """`pictures` has the newest of each name, as (name, step, file name)."""

    folder: Path
    facts: dict[str, Any]
    config: dict[str, Any]
    metrics: dict[str, float]
    curves: dict[str, Points]
    pictures: list[tuple[str, int, str]]
    has_report: bool


def read_indexed_run(folder: Path, most_lines: int) -> IndexedRun:
    """Raises RunFolderError for a folder that is foreign or damaged."""
    past = read_past_run(folder)
    series = read_series(folder / "metrics.jsonl", most_lines)
    return IndexedRun(
        folder=folder,
        facts=_facts(past),
        config=past.config,
        metrics=past.metrics | {name: points[-1][1] for name, points in series.items()},
        curves={name: thinned(points, MOST_POINTS) for name, points in series.items()},
        pictures=[
            (name, *_newest(files)) for name, files in pictures_of(folder / "images").items()
        ],
        has_report=(folder / "report.html").is_file(),
    )


def thinned(series: Series | Points, most: int) -> Points:
    """Values that are not finite are None, and break the line."""
    finite = [
        (step, None if value is None or not abs(value) < LARGEST else value)
        for step, value in series
    ]
    return thin(finite, most)


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


def _newest(files: list[tuple[int, Path]]) -> tuple[int, str]:
    step, path = files[-1]
    return step, path.name
