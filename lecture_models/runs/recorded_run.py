"""Gathers what a run's folder holds for its report; what is missing or damaged is skipped.

The report matters most for a run that was killed, so no state of the folder is an error here.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from lecture_models.runs.artifacts import (
    IMAGES,
    KINDS,
    RECORDED,
    ArtifactKind,
    SteppedFiles,
    artifact_files,
)
from lecture_models.runs.json_values import as_number, as_object
from lecture_models.runs.reader import METRIC_GROUPS, read_config, read_metrics, read_summary

Series = list[tuple[int, float]]  # The steps and values of one metric, in the order of steps.


class RecordedRun(NamedTuple):
    """Holds what the folder of a run holds.

    Attributes:
        folder: the run's folder.
        record: the content of config.json.
        summary: the content of summary.json.
        series: the values of each metric by step, under `train/NAME` and `eval/NAME`.
        last: the last value of each metric, from the series and from the summary.
        texts: the last version of each text.
        artifacts: for each kind, the files of each name, in the order of steps.
        captions: the caption of each artifact by its file, such as `sounds/melody_00002000.wav`.
        torn: the number of damaged lines of metrics.jsonl.
    """

    folder: Path
    record: dict[str, Any]
    summary: dict[str, Any]
    series: dict[str, Series]
    last: dict[str, Any]
    texts: dict[str, str]
    artifacts: dict[ArtifactKind, dict[str, SteppedFiles]]
    captions: dict[str, str]
    torn: int

    @property
    def pictures(self) -> dict[str, SteppedFiles]:
        """Returns the image files of each name, in the order of steps."""
        return self.artifacts[IMAGES]

    @property
    def step(self) -> int | None:
        """Returns the last step that the summary or a metric names, None if there is none."""
        if isinstance(self.summary.get("step"), int):
            return self.summary["step"]
        return max((points[-1][0] for points in self.series.values()), default=None)


def read_run(folder: Path) -> RecordedRun:
    """Reads a run's folder; missing and damaged files count as empty."""
    summary = read_summary(folder).content
    metrics = read_metrics(folder)
    series = series_by_name(metrics.records)
    texts: dict[str, str] = {}
    captions: dict[str, str] = {}
    for record in [*metrics.records, summary]:
        texts |= {name: str(text) for name, text in as_object(record.get("texts")).items()}
        for artifact in map(as_object, as_object(record.get(RECORDED)).values()):
            captions[str(artifact.get("file"))] = str(artifact.get("caption") or "")
    return RecordedRun(
        folder=folder,
        record=read_config(folder).content,
        summary=summary,
        series=series,
        last=_last(series, as_object(summary.get("metrics"))),
        texts=texts,
        artifacts={kind: artifact_files(folder, kind, metrics.records) for kind in KINDS},
        captions=captions,
        torn=metrics.num_damaged,
    )


def read_series(folder: Path, max_lines: int | None = None) -> dict[str, Series]:
    """Reads the series of a run, from at most about `max_lines` lines of its metrics."""
    return series_by_name(read_metrics(folder, max_lines).records)


def series_by_name(records: Iterable[dict[str, Any]]) -> dict[str, Series]:
    """Returns the values of each metric by step, under `train/NAME` and `eval/NAME`.

    A resumed run may repeat a step; the later record counts.
    """
    values: dict[str, dict[int, float]] = {}
    for record in records:
        step = record["step"]
        for group in METRIC_GROUPS:
            metrics = record.get(group)
            if type(metrics) is not dict:
                continue
            for name, value in metrics.items():
                number = value if type(value) is float else as_number(value)
                if number is not None:
                    key = f"{group}/{name}"
                    if key not in values:
                        values[key] = {}
                    values[key][step] = number
    return {name: sorted(points.items()) for name, points in values.items()}


def _last(series: dict[str, Series], metrics: dict[str, Any]) -> dict[str, Any]:
    last = {name: points[-1][1] for name, points in series.items()}
    for name, value in _flat(metrics):
        # In old summaries `loss` without a group may be that of training or of evaluation.
        if f"eval/{name}" not in last and f"train/{name}" not in last:
            last[name] = value
    return last


def _flat(metrics: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in metrics.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", value
