"""Shows the results of several seeds: a table on the terminal, and a page that links each run."""

import os
import urllib.parse
from pathlib import Path
from typing import Any

from lecture_models.reports.markdown import markdown_columns
from lecture_models.reports.page import write_page
from lecture_models.reports.run_origin import settings
from lecture_models.reports.run_sections import STATUS
from lecture_models.runs.json_values import as_number
from lecture_models.runs.seeds import Spread


def terminal(spreads: dict[str, Spread]) -> str:
    """Returns a table of every metric's mean and standard deviation over the seeds."""
    if not spreads:
        return "no metric was evaluated\n"
    rows = [
        (name, _digits(spread.mean), _digits(spread.std), str(spread.n))
        for name, spread in spreads.items()
    ]
    return markdown_columns(("metric", "mean", "std", "n"), rows)


def _digits(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


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
        spreads={
            name: {part: as_number(spread[part]) for part in ("mean", "std", "n")}
            for name, spread in summary["metrics"].items()
        },
        runs=[_row(run, list(summary["metrics"])) for run in seeds],
        origin=_origin(summary),
        config=settings(summary["config"]),
        command=summary["command"],
        footer=f"{workdir.name} · made by lecture-models",
    )
    return path


def _row(run: dict[str, Any], metrics: list[str]) -> dict[str, Any]:
    return {
        "seed": run["seed"],
        "link": urllib.parse.quote(os.fsencode(run["folder"])) + "/report.html",
        "status": STATUS.get(run["status"], run["status"]),
        "values": [as_number(run["metrics"].get(f"eval/{name}")) for name in metrics],
    }


def _origin(summary: dict[str, Any]) -> dict[str, str]:
    data = {str(source["dataset"]): str(source.get("source")) for source in summary["data"]}
    return data | {"device": ", ".join(summary["devices"])}
