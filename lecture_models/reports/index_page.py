"""Fills the page over all runs below a folder, which opens from the disk with no network."""

from pathlib import Path
from typing import Any, NamedTuple

from lecture_models.reports.index_data import address, curve_records, goals, name_of, run_records
from lecture_models.reports.index_groups import RunGroup
from lecture_models.reports.index_run import MOST_POINTS, IndexedRun
from lecture_models.reports.page import write_page

# In `templates/index.html`; it tells an index from other pages.
MARK = '<meta name="generator" content="lecture-models index">'


class Index(NamedTuple):
    """Holds what lies below a folder of runs.

    Attributes:
        root: the folder.
        runs: the runs, the newest first.
        sweeps: the sweeps.
        seeds: groups of seeds of one experiment.
        pages: other HTML files beside the runs, with their titles.
        skipped: for each folder that could not be read, a line with the reason.
    """

    root: Path
    runs: list[IndexedRun]
    sweeps: list[RunGroup]
    seeds: list[RunGroup]
    pages: list[tuple[Path, str]]
    skipped: list[str]


def write_index_page(index: Index, page: Path) -> None:
    """Writes the page; its links are relative to the file `page`."""
    write_page(
        page,
        "index.html",
        title=f"Runs below {index.root.resolve().name or index.root}",
        counts=counts(index),
        skipped=index.skipped,
        runs=run_records(index.runs, index.root, page),
        goals=goals(index.runs, index.sweeps),
        swept=list(dict.fromkeys(name for sweep in index.sweeps for name in sweep.parameters)),
        curves=curve_records(index.runs),
        most_points=MOST_POINTS,
        sweeps=[_group(index, sweep, page) for sweep in index.sweeps],
        seeds=[_group(index, seeds, page) for seeds in index.seeds],
        pages=[
            {"link": address(path, page), "name": name_of(path, index.root), "title": title}
            for path, title in index.pages
        ],
        footer="made by lecture-models",
    )


def counts(index: Index) -> str:
    """Returns how many runs, sweeps, groups of seeds and pages there are, in words."""
    numbers = {
        "run": len(index.runs),
        "sweep": len(index.sweeps),
        "group of seeds": len(index.seeds),
        "page": len(index.pages),
    }
    plurals = {"group of seeds": "groups of seeds"}
    return ", ".join(
        f"{count:,} {name if count == 1 else plurals.get(name, name + 's')}"
        for name, count in numbers.items()
        if count or name == "run"
    )


def _group(index: Index, group: RunGroup, page: Path) -> dict[str, Any]:
    folder = name_of(group.folder, index.root)
    return {
        "folder": folder,
        "name": group.name if group.name != group.folder.name else "",
        "link": address(group.folder / "report.html", page) if group.has_report else "",
        "experiment": group.experiment,
        "kind": group.kind,
        "state": group.state,
        "results": group.results,
        "parameters": group.parameters,
        "started": group.started.replace("T", " ")[:16],
        # The words of a run's name by which the table is filtered.
        "filter": "" if group.folder == index.root else f'"{folder}/"',
    }
