"""Finds the folders of runs below a folder."""

import os
from collections.abc import Iterator
from pathlib import Path

from lecture_models.runs import artifacts
from lecture_models.runs.reader import CONFIG

NO_RUNS_INSIDE = frozenset({"checkpoints", "wandb"}) | artifacts.FOLDERS


def walk_runs(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yields each folder that may be a run or hold runs, with the names of its files.

    Folders at any depth are yielded in the order of their names. A symbolic link is followed once.
    Hidden folders and the folders inside of a run are skipped.
    """
    visited = set()
    for parent, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(parent)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(
            name for name in folders if name not in NO_RUNS_INSIDE and not name.startswith(".")
        )
        yield Path(parent), files


def run_folders(runs_dir: Path) -> list[Path]:
    """Returns each folder below `runs_dir` that has a config.json, in the order of their paths."""
    return sorted(path for path, files in walk_runs(runs_dir) if CONFIG in files)
