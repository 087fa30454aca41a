"""Finds the folders of runs below a folder."""

import os
from collections.abc import Iterator
from pathlib import Path

from lecture_models.runs import artifacts
from lecture_models.runs.reader import CHECKPOINTS, CONFIG

NO_RUNS_INSIDE = frozenset({CHECKPOINTS, "damaged", "wandb"}) | artifacts.FOLDERS  # Of a run.


def walk_runs(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yields each folder that may be a run or hold runs, with the names of its files.

    Folders at any depth are yielded in the order of their names. A symbolic link is followed once.
    Hidden folders are skipped, and those that a run makes inside of its own.
    """
    visited = set()
    for parent, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(parent)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        skipped = NO_RUNS_INSIDE if CONFIG in files else frozenset()
        folders[:] = sorted(
            name for name in folders if name not in skipped and not name.startswith(".")
        )
        yield Path(parent), files


def run_folders(runs_dir: Path) -> list[Path]:
    """Returns each folder below `runs_dir` that has a config.json, in the order of their paths."""
    return sorted(path for path, files in walk_runs(runs_dir) if CONFIG in files)
