"""What lies below a folder of runs: runs, sweeps, seeds, and pages beside them."""

from pathlib import Path
from typing import NamedTuple

from lecture_models.runs.results import walk_runs

RUN, SWEEP, SEEDS, REPORT = "config.json", "sweep.json", "seeds.json", "report.html"


class Folders(NamedTuple):
    """`pages` are the HTML files that stand beside runs, tables of `--output=NAME.html`."""

    runs: list[Path]
    sweeps: list[Path]
    seeds: list[Path]
    pages: list[Path]


def find_folders(root: Path) -> Folders:
    """Sorted out by the record that each has."""
    found = Folders([], [], [], [])
    for path, files in walk_runs(root):
        for name, places in ((RUN, found.runs), (SWEEP, found.sweeps), (SEEDS, found.seeds)):
            if name in files:
                places.append(path)
        if RUN not in files:
            found.pages.extend(
                path / name
                for name in sorted(files)
                if name.endswith(".html") and name != REPORT and not name.startswith(".")
            )
    return found
