"""Shows the results of several seeds: a table on the terminal, and a page that links each run."""

import os
import urllib.parse
from pathlib import Path
from typing import Any

from lecture_models.reports.charts import Chart, band_curve
from lecture_models.reports.html import alike, number, with_spread
from lecture_models.reports.markdown import markdown_columns
from lecture_models.reports.page import write_page
from lecture_models.reports.run_origin import settings
from lecture_models.reports.run_sections import STATUS, by_heading
from lecture_models.runs.json_values import as_number
from lecture_models.runs.recorded_run import read_series
from lecture_models.runs.seeds import Spread


def terminal(spreads: dict[str, Spread]) -> str:
    """Returns a table of every metric's mean and standard deviation over the seeds."""
    if not spreads:
        return "no metric was evaluated\n"
    rows = [
        (name, *_mean_and_std(spread.mean, spread.std), str(spread.n))
        for name, spread in spreads.items()
    ]
    return markdown_columns(("metric", "mean", "std", "n"), rows)


def _mean_and_std(mean: float | None, std: float | None) -> tuple[str, str]:
    if mean is None or std is None:
        return "-" if mean is None else number(mean), "-" if std is None else number(std)
    return with_spread(mean, std)


def write_report(workdir: Path, summary: dict[str, Any]) -> Path:
    """Writes `report.html` into the folder of the seeds, and returns its path.

    Args:
        workdir: the folder that holds a folder for each seed.
        summary: the content of seeds.json.
    """
    title = str(summary["title"] or summary["experiment"]).removesuffix(".")
    seeds = summary["seeds"]
    finished = sum(run["status"] == "finished" for run in seeds)
    failed = [f"seed {run['seed']}: {run['error']}" for run in seeds if run["error"]]
    path = workdir / "report.html"
    write_page(
        path,
        "seeds.html",
        title=f"{title}: {len(seeds)} seeds",
        heading=title,
        eyebrow=f"{summary['experiment']} · {summary['preset']} · {workdir.name}",
        badge="failed" if failed else "finished" if finished == len(seeds) else "unknown",
        progress=f"{finished} of {len(seeds)} seeds finished",
        failed=failed,
        notes=[
            f"{source['dataset']}: {source['note']}"
            for source in summary["data"]
            if source.get("note")
        ],
        spreads=[_spread(name, spread, seeds) for name, spread in summary["metrics"].items()],
        curves=_curves([workdir / run["folder"] for run in seeds]),
        metrics=list(summary["metrics"]),
        runs=_rows(seeds, list(summary["metrics"])),
        origin=_origin(summary),
        config=settings(summary["config"]),
        command=summary["command"],
        footer=f"{workdir.name} · made by lecture-models",
    )
    return path


def _spread(name: str, spread: dict[str, Any], seeds: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns mean, standard deviation and number of a metric, and its ends over finished seeds."""
    finished = [run for run in seeds if run["status"] == "finished"]
    values = [value for value in _values(finished, name) if value is not None]
    mean, std = _mean_and_std(as_number(spread["mean"]), as_number(spread["std"]))
    ends = alike([min(values), max(values)]) if values else ["-", "-"]
    return {"name": name, "cells": [mean, std, *ends, str(spread["n"])]}


def _values(seeds: list[dict[str, Any]], metric: str) -> list[float | None]:
    return [as_number(run["metrics"].get(f"eval/{metric}")) for run in seeds]


def _curves(folders: list[Path]) -> dict[str, list[Chart]]:
    """Returns a chart of each metric with several steps, its mean and its ends over the seeds."""
    runs = [read_series(folder) for folder in folders]
    names = sorted({name for run in runs for name, points in run.items() if len(points) > 1})
    return by_heading(
        [band_curve(name, [run[name] for run in runs if name in run]) for name in names]
    )


def _rows(seeds: list[dict[str, Any]], metrics: list[str]) -> list[dict[str, Any]]:
    columns = [alike(_values(seeds, metric)) for metric in metrics]
    return [
        {
            "seed": run["seed"],
            "link": urllib.parse.quote(os.fsencode(run["folder"])) + "/report.html",
            "status": STATUS.get(run["status"], run["status"]),
            "cells": [column[index] for column in columns],
        }
        for index, run in enumerate(seeds)
    ]


def _origin(summary: dict[str, Any]) -> dict[str, str]:
    data = {str(source["dataset"]): str(source.get("source")) for source in summary["data"]}
    return data | {"device": ", ".join(summary["devices"])}
