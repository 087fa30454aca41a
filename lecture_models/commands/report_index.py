"""Writes one page about all runs below a folder: `--report`."""

from pathlib import Path

from lecture_models.commands.flags import read_alone
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.commands.table_output import check_output
from lecture_models.reports.index import Index, read_index, write_index
from lecture_models.reports.index_page import counts
from lecture_models.runs.reader import RunFolderError

_SUFFIXES = (".html", ".htm")
_MAX_SKIPPED = 3  # Skipped folders that are named on the terminal.
_HELP = """\
python launch.py --report=FOLDER [--output=FILE.html]

Writes FOLDER/index.html, one page about all runs, sweeps and tables below the folder: a table, and
the curves and images of the runs that you select. The page opens from disk, without a network."""


def report_index(invocation: Invocation, root: Path) -> int:
    """Writes the page and announces its path.

    Raises UsageError for a wrong command line, and RunFolderError for a folder without runs.
    """
    values = read_alone("report", invocation.argv)
    if values.help:
        print(_HELP)
        return 0
    if not root.is_dir():
        raise RunFolderError(f"--report is {root}; this folder does not exist")
    check_output(values.output, _SUFFIXES)
    page = values.output or root / "index.html"
    index = read_index(root)
    if index.skipped:
        announce(_skipped(index.skipped))
    _refuse_empty(index)
    write_index(index, page)
    announce(f"written: {page} ({counts(index)})")
    return 0


def _skipped(reasons: list[str]) -> str:
    more = len(reasons) - _MAX_SKIPPED
    shown = "; ".join(" ".join(reason.split()) for reason in reasons[:_MAX_SKIPPED])
    return f"skipped: {shown}" + (f"; and {more:,} more" if more > 0 else "")


def _refuse_empty(index: Index) -> None:
    if not index.runs and not index.sweeps and not index.seeds:
        raise RunFolderError(f"--report is {index.root}; there are no runs below it")
