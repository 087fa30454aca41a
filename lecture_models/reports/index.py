"""The index of a folder of runs: reads what is below it, writes one page."""

import html
import re
from pathlib import Path

from lecture_models import files
from lecture_models.reports.index_folders import SEEDS, SWEEP, find_folders
from lecture_models.reports.index_groups import Group, read_seeds, read_sweep
from lecture_models.reports.index_page import MARK, Index, render
from lecture_models.reports.index_run import IndexedRun, read_indexed_run
from lecture_models.runs.folder import RunFolderError

ALL_LINES = 200_000  # Of metrics, of all runs together: two seconds. Few runs are read whole.
FEWEST_LINES = 200
HEAD = 4_096  # Bytes of a page in which its title and our mark stand.


def read_index(root: Path) -> Index:
    """The newest run first. A folder that is damaged or foreign is passed over, with the reason."""
    found = find_folders(root)
    runs: list[IndexedRun] = []
    passed_over = []
    most_lines = max(FEWEST_LINES, ALL_LINES // max(len(found.runs), 1))
    for folder in found.runs:
        try:
            runs.append(read_indexed_run(folder, most_lines))
        except RunFolderError as error:
            passed_over.append(str(error))
    runs.sort(key=lambda run: run.facts["started"], reverse=True)
    groups: dict[str, list[Group]] = {SWEEP: [], SEEDS: []}
    for folders, read, name in (
        (found.sweeps, read_sweep, SWEEP),
        (found.seeds, read_seeds, SEEDS),
    ):
        for folder in folders:
            group = read(folder, runs)
            if group is None:
                passed_over.append(f"{folder / name} is damaged")
            else:
                groups[name].append(group)
    pages = [
        (path, _title(head)) for path in found.pages if MARK.encode() not in (head := _head(path))
    ]
    return Index(root, runs, groups[SWEEP], groups[SEEDS], pages, passed_over)


def write_index(index: Index, page: Path) -> None:
    """Whole or not at all. Raises RunFolderError where another file has that name."""
    if page.exists() and MARK.encode() not in _head(page):
        raise RunFolderError(f"{page} is no index of runs; name another file with --output")
    files.write_bytes(page, render(index, page))


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError:
        return b""


def _title(head: bytes) -> str:
    found = re.search(r"<title>(.*?)</title>", head.decode("utf-8", "replace"), re.DOTALL)
    return " ".join(html.unescape(found[1]).split()) if found else ""
