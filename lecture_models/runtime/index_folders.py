"""What lies below a folder of runs: runs, sweeps, seeds, and pages beside them."""

import os
from pathlib import Path
from typing import NamedTuple

from lecture_models.runtime.run_results import NO_RUNS_INSIDE

RUN, SWEEP, SEEDS, REPORT = "config.json", "sweep.json", "seeds.json", "report.html"


class Folders(NamedTuple):
    """`pages` are the HTML files that stand beside runs, tables of `--output=NAME.html`."""

    runs: list[Path]
    sweeps: list[Path]
    seeds: list[Path]
    pages: list[Path]


def find_folders(root: Path) -> Folders:
    """By name, in whatever depth; links are followed once, hidden folders not entered."""
    found, visited = Folders([], [], [], []), set()
    for parent, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(parent)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(
            each for each in folders if each not in NO_RUNS_INSIDE and not each.startswith(".")
        )
        path = Path(parent)
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
