"""Gathers the results of a run for its report: status, alarms, facts, metrics and curves."""

import math
from typing import Any

from lecture_models.reports.charts import Chart, curve
from lecture_models.reports.html import alike, duration, number
from lecture_models.reports.run_origin import sources
from lecture_models.runs.json_values import as_list, as_number, as_object
from lecture_models.runs.recorded_run import RecordedRun

STATUS = {
    "finished": "finished",
    "interrupted": "interrupted",
    "failed": "failed",
    "running": "running, or killed",
}
GROUPS = {"eval/": "Evaluation", "train/": "Training"}


def title(run: RecordedRun) -> str:
    """Returns the experiment's title without the full stop that it has as a docstring."""
    named = run.record.get("title") or run.record.get("experiment") or run.folder.name
    return str(named).removesuffix(".")


def eyebrow(run: RecordedRun) -> str:
    """Returns experiment, preset and folder, which stand above the title."""
    names = (run.record.get("experiment"), run.record.get("preset"), run.folder.name)
    return " · ".join(str(name) for name in names if name)


def status(run: RecordedRun) -> dict[str, str]:
    """Returns the status as words, the color it is shown in, and how far the run got."""
    recorded = str(run.summary.get("status", ""))
    return {
        "kind": recorded if recorded in STATUS else "unknown",
        "words": STATUS.get(recorded, recorded or "no summary: killed, or still running"),
        "progress": _progress(run),
    }


def _progress(run: RecordedRun) -> str:
    total = run.summary.get("num_steps")
    if total == 0:
        progress = "no training"
    else:
        progress = f"step {run.step:,}" if run.step is not None else "no step recorded"
        if isinstance(total, int):
            progress += f" of {total:,}"
    if run.torn:
        lines = "1 line" if run.torn == 1 else f"{run.torn:,} lines"
        progress += f" · {lines} of metrics.jsonl could not be read"
    return progress


def alarms(run: RecordedRun) -> list[str]:
    """Returns every alarm that an evaluation raised."""
    return [str(alarm) for alarm in as_list(run.summary.get("alarms"))]


def notes(run: RecordedRun) -> list[str]:
    """Returns what a reader must know about the data before any number."""
    return [
        f"{source.get('dataset', 'data')}: {source['note']}"
        for source in sources(run)
        if source.get("note")
    ]


def facts(run: RecordedRun) -> dict[str, str]:
    """Returns time, speed, device and start, as far as they are known."""
    device = as_object(run.record.get("device"))
    seconds = as_number(run.summary.get("wall_time_s"))
    speed = as_number(run.summary.get("steps_per_second"))
    kind = device.get("kind") or device.get("platform") or ""
    shown = {
        "Time": "" if seconds is None else duration(seconds),
        "Speed": "" if speed is None else f"{number(speed)} steps/s",
        "Device": str(kind) + (f" · {device['cores']} cores" if device.get("cores") else ""),
        "Started": str(run.record.get("started") or "").replace("T", " ")[:16],
    }
    return {name: value for name, value in shown.items() if value}


def wandb(run: RecordedRun) -> dict[str, str]:
    """Returns W&B's mode and the address of the run there; {} if W&B was not asked."""
    record = as_object(run.record.get("wandb"))
    url = str(record.get("url") or "")
    if not record.get("mode"):
        return {}
    # An address may also be a script.
    return {
        "mode": str(record["mode"]),
        "url": url if url.startswith(("https://", "http://")) else "",
    }


def metrics(run: RecordedRun) -> list[dict[str, Any]]:
    """Returns for every metric its last, lowest and highest value, each with its step.

    What the evaluations found comes first.
    """
    rows = []
    for name in sorted(run.last, key=lambda name: (not name.startswith("eval/"), name)):
        points = run.series.get(name, [])
        known = [point for point in points if math.isfinite(point[1])]
        last = (points[-1][0] if points else None, as_number(run.last[name]))
        ends = [choose(known, key=lambda point: point[1]) for choose in (min, max) if known]
        chosen = [last, *ends, *([(None, None)] * (2 - len(ends)))]
        texts = alike([value for _, value in chosen], absent="")
        if last[1] is None:
            texts[0] = str(run.last[name])
        steps = ["" if step is None else f"{step:,}" for step, _ in chosen]
        rows.append({"name": name, "values": list(zip(texts, steps, strict=True))})
    return rows


def curves(run: RecordedRun) -> dict[str, list[Chart]]:
    """Returns a chart for each metric with several values, by the heading above the charts."""
    series = sorted(run.series.items())
    return by_heading([curve(name, points) for name, points in series if len(points) > 1])


def by_heading(charts: list[Chart]) -> dict[str, list[Chart]]:
    """Returns the charts of metrics by the heading above them, evaluations first."""
    headed = {
        heading: [chart for chart in charts if chart.title.startswith(prefix)]
        for prefix, heading in GROUPS.items()
    }
    return {heading: found for heading, found in headed.items() if found}
