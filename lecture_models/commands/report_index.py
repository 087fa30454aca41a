"""`--report`: one page over all runs, sweeps and tables below a folder."""

from pathlib import Path

from lecture_models.commands.flags import read_alone
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.config import UsageError
from lecture_models.reports.index import Index, read_index, write_index
from lecture_models.reports.index_page import counts
from lecture_models.runs.folder import RunFolderError

_SUFFIXES = (".html", ".htm")
_NAMED = 3  # Of the folders that are passed over, on the terminal.
_HELP = """\
python launch.py --report=FOLDER [--output=FILE.html]

Writes FOLDER/index.html, one page over all runs, sweeps and tables below the folder: table, curves
and pictures side by side. It needs no network and opens from the disk."""


def report_index(invocation: Invocation, given: str) -> int:
    """Writes the page and says where.

    Raises UsageError for a wrong command line, RunFolderError for a folder without runs.
    """
    values = read_alone("report", invocation.argv)
    if values.help:
        print(_HELP)
        return 0
    root = _root(given)
    page = _page(root, values.output)
    index = read_index(root)
    if index.passed_over:
        announce(_passed_over(index.passed_over))
    _refuse_empty(index)
    write_index(index, page)
    announce(f"written: {page} ({counts(index)})")
    return 0


def _root(given: str) -> Path:
    if not given:
        raise UsageError("--report is empty; it must be a folder of runs")
    root = Path(given).expanduser()
    if not root.is_dir():
        raise RunFolderError(f"--report is {root}; there is no such folder")
    return root


def _page(root: Path, output: str | None) -> Path:
    if output is None:
        return root / "index.html"
    page = Path(output).expanduser()
    if page.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"--output is {page}; its name must end in .html")
    if not page.parent.is_dir() or page.is_dir():
        raise UsageError(f"--output is {page}; it must be a file in a folder that is there")
    return page


def _passed_over(reasons: list[str]) -> str:
    more = len(reasons) - _NAMED
    shown = "; ".join(" ".join(reason.split()) for reason in reasons[:_NAMED])
    return f"passed over: {shown}" + (f"; and {more:,} more" if more > 0 else "")


def _refuse_empty(index: Index) -> None:
    if not index.runs and not index.sweeps and not index.seeds:
        raise RunFolderError(f"--report is {index.root}; there is no run below it")
