"""Writes the index of a folder of runs: reads what lies below the folder, and writes one page."""

import html
import re
from pathlib import Path

from lecture_models.reports.index_folders import SEEDS, SWEEP, find_folders
from lecture_models.reports.index_groups import RunGroup, read_seeds, read_sweep
from lecture_models.reports.index_page import MARK, Index, write_index_page
from lecture_models.reports.index_run import IndexedRun, read_indexed_run
from lecture_models.runs.reader import RunFolderError

ALL_LINES = 200_000  # Of metrics, of all runs together: two seconds. Few runs are read whole.
FEWEST_LINES = 200
HEAD = 4_096  # Bytes at the start of a page that hold its title and our mark.


def read_index(root: Path) -> Index:
    """Reads all runs below `root`, the newest first; damaged and foreign folders are skipped."""
    found = find_folders(root)
    runs: list[IndexedRun] = []
    skipped = []
    most_lines = max(FEWEST_LINES, ALL_LINES // max(len(found.runs), 1))
    for folder in found.runs:
        try:
            runs.append(read_indexed_run(folder, most_lines))
        except RunFolderError as error:
            skipped.append(str(error))
    runs.sort(key=lambda run: run.facts["started"], reverse=True)
    groups: dict[str, list[RunGroup]] = {SWEEP: [], SEEDS: []}
    for folders, read, name in (
        (found.sweeps, read_sweep, SWEEP),
        (found.seeds, read_seeds, SEEDS),
    ):
        for folder in folders:
            group = read(folder, runs)
            if group is None:
                skipped.append(f"{folder / name} is damaged")
            else:
                groups[name].append(group)
    pages = [
        (path, _title(head)) for path in found.pages if MARK.encode() not in (head := _head(path))
    ]
    return Index(root, runs, groups[SWEEP], groups[SEEDS], pages, skipped)


def write_index(index: Index, page: Path) -> None:
    """Writes the page completely or not at all.

    Raises:
        RunFolderError: a file with that name exists and is not an index.
    """
    if page.exists() and MARK.encode() not in _head(page):
        raise RunFolderError(f"{page} is not an index of runs; name another file with --output")
    write_index_page(index, page)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError:
        return b""


def _title(head: bytes) -> str:
    title = re.search(r"<title>(.*?)</title>", head.decode("utf-8", "replace"), re.DOTALL)
    return " ".join(html.unescape(title[1]).split()) if title else ""
