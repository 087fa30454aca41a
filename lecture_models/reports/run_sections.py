"""What a run came to: status, alarms, numbers, curves."""

import math
from typing import Any

from lecture_models.reports import charts
from lecture_models.reports.html import band, duration, number, section, text
from lecture_models.reports.run_origin import sources
from lecture_models.runs.reader import Run, as_list, as_number, as_object

STATUS = {
    "finished": "finished",
    "interrupted": "interrupted",
    "failed": "failed",
    "running": "running, or killed",
}


def title(run: Run) -> str:
    """The experiment's docstring has a sentence; a title has no full stop."""
    named = run.config.get("title") or run.config.get("experiment") or run.folder.name
    return str(named).removesuffix(".")


def header(run: Run) -> str:
    config = run.config
    names = [config.get("experiment"), config.get("preset"), run.folder.name]
    status = str(run.summary.get("status", ""))
    known = STATUS.get(status, text(status) or "no summary: killed, or still running")
    total = run.summary.get("num_steps")
    progress = f"step {run.step:,}" if run.step is not None else "no step recorded"
    if total == 0:
        progress = "no training"
    elif isinstance(total, int):
        progress += f" of {total:,}"
    if run.torn:
        progress += f" · {run.torn:,} torn line{'s' * (run.torn > 1)} of metrics left out"
    badge = status if status in STATUS else "unknown"
    return (
        f'<p class="eyebrow">{" · ".join(text(name) for name in names if name)}</p>'
        f"<h1>{text(title(run))}</h1>"
        f'<p><span class="badge {badge}">{known}</span>'
        f'<span class="progress">{progress}</span></p>'
    )


def bands(run: Run) -> str:
    """What a reader has to know before any number: alarms, the error, notes on the data."""
    alarms = [f"<p>{text(alarm)}</p>" for alarm in as_list(run.summary.get("alarms"))]
    error = run.summary.get("error")
    notes = [
        f"<p>{text(source.get('dataset', 'data'))}: {text(source['note'])}</p>"
        for source in sources(run)
        if source.get("note")
    ]
    return (
        band("alarm", "Alarm" if len(alarms) == 1 else "Alarms", "".join(alarms))
        + band("alarm", "Error", f"<pre>{text(error)}</pre>" if error else "")
        + band("note", "Note on the data", "".join(notes))
    )


def facts(run: Run) -> str:
    device = as_object(run.config.get("device"))
    wandb = as_object(run.config.get("wandb"))
    seconds = as_number(run.summary.get("wall_time_s"))
    speed = as_number(run.summary.get("steps_per_second"))
    kinds = [device.get("kind") or device.get("platform"), device.get("cores")]
    shown = {
        "Time": text(duration(seconds)) if seconds is not None else "",
        "Speed": f"{text(number(speed))} steps/s" if speed is not None else "",
        "Device": text(kinds[0] or "") + (f" · {text(kinds[1])} cores" if kinds[1] else ""),
        "Started": text(str(run.config.get("started") or "").replace("T", " ")[:16]),
        "W&amp;B": _link(wandb),
    }
    cells = [
        f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in shown.items() if value
    ]
    return f'<dl class="facts">{"".join(cells)}</dl>' if cells else ""


def metrics(run: Run) -> str:
    rows = []
    # The evaluation is what the paper reports: it comes first.
    for name in sorted(run.last, key=lambda name: (not name.startswith("eval/"), name)):
        value = run.last[name]
        points = run.series.get(name)
        found = as_number(value)
        broken = " bad" if found is not None and not math.isfinite(found) else ""
        rows.append(
            f'<tr><th class="mono">{text(name)}</th>'
            f'<td class="number{broken}">{text(value if found is None else number(found))}</td>'
            f'<td class="step">{f"{points[-1][0]:,}" if points else ""}</td></tr>'
        )
    head = '<tr><th>Metric</th><th class="number">Last value</th><th class="number">Step</th></tr>'
    whole = f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"
    return section("Final metrics", f'<div class="card">{whole}</div>' if rows else "")


def curves(run: Run) -> str:
    groups = {"eval/": "Evaluation", "train/": "Training"}
    body = ""
    for prefix, heading in groups.items():
        charts = [
            charts.chart(name, points, number(points[-1][1]))
            for name, points in sorted(run.series.items())
            if name.startswith(prefix)
        ]
        if charts:
            body += f'<h3>{heading}</h3><div class="charts">{"".join(charts)}</div>'
    return section("Curves", body)


def _link(wandb: dict[str, Any]) -> str:
    mode, url = text(wandb.get("mode") or ""), str(wandb.get("url") or "")
    if url.startswith(("https://", "http://")):  # A script has an address too.
        return f'<a href="{text(url)}" rel="noreferrer">{mode}</a>'
    return mode
