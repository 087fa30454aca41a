"""Finds what lies below a folder: runs, sweeps, seeds, and pages beside them."""

from pathlib import Path
from typing import NamedTuple

from lecture_models.runs.run_folders import walk_runs

RUN, SWEEP, SEEDS, REPORT = "config.json", "sweep.json", "seeds.json", "report.html"


class FoundFolders(NamedTuple):
    """Holds the folders of each kind.

    `pages` are HTML files that lie beside runs, such as tables that `--output=NAME.html` wrote.
    """

    runs: list[Path]
    sweeps: list[Path]
    seeds: list[Path]
    pages: list[Path]


def find_folders(root: Path) -> FoundFolders:
    """Returns the folders below `root` by kind, which the name of their record tells."""
    found = FoundFolders([], [], [], [])
    for path, files in walk_runs(root):
        for name, folders in ((RUN, found.runs), (SWEEP, found.sweeps), (SEEDS, found.seeds)):
            if name in files:
                folders.append(path)
        if RUN not in files:
            found.pages.extend(
                path / name
                for name in sorted(files)
                if name.endswith(".html") and name != REPORT and not name.startswith(".")
            )
    return found
