"""Shows the slides of a lecture with their commands and numbers, or runs them: `--lecture`."""

import shutil
from pathlib import Path
from typing import Any

from lecture_models.commands import table_output
from lecture_models.commands.flags import read_alone
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.config import UsageError
from lecture_models.lectures import terminal
from lecture_models.lectures.lecture import Lecture, numbers, read_lecture
from lecture_models.lectures.sources import Sources
from lecture_models.lectures.values import Values
from lecture_models.tables.table import Table, TableContext
from lecture_models.training import process_setup
from lecture_models.training.printing import until_reader_leaves

LIST = "list"
WORKDIR = Path("runs") / "lectures"
_SUFFIXES = (".html", ".htm")
_HELP = """\
python launch.py --lecture=list
python launch.py --lecture=004 [--output=FILE.html]
python launch.py --lecture=004 --run=smoke|default [--workdir=FOLDER] [--output=FILE.html]

Prints the slides of a lecture in order: what each shows, the command that runs it, the published
number or picture, ours, and the verdict. With --output, writes them as one HTML page.

With --run, runs the command of every slide, one after the other, and writes the page with the
pictures and numbers of these runs: smoke takes seconds for each, default minutes. The same command
goes on after a stop, and makes no finished run again. If a run fails, the page says so, the others
go on, and the exit code is 1. Runs and page lie in --workdir (default: runs/lectures)."""


def lecture(invocation: Invocation, number: str) -> int:
    """Prints or runs a lecture; returns 0, 1 if a run failed, or 128 + n after signal n.

    Raises UsageError for a wrong command line.
    """
    values = read_alone("lecture", invocation.argv)
    if values.help:
        print(_HELP)
        return 0
    if number == LIST:
        return _list(invocation, values)
    found = read_lecture(number)
    table_output.check_output(values.output, _SUFFIXES)
    if values.run is not None:
        from lecture_models.commands import lecture_run

        return lecture_run.run_all(invocation, found, values, sources(invocation, values))
    if values.workdir is not None:
        raise UsageError("--workdir needs --run=smoke or --run=default")
    _show(invocation, found, values)
    return 0


def sources(invocation: Invocation, values: Any) -> Sources:
    """Returns what a lecture is shown from: kept results, and the runs that the flags ask for."""
    root = invocation.checkout.root
    results = root / "results"
    context = TableContext(results / "runs", values.weights_dir, values.data_dir, announce)

    def build_table(name: str) -> Table:
        process_setup.use_compilation_cache()
        return table_output.build(invocation.checkout.tables, name, context)

    return Sources(
        values=Values(results, build_table),
        results=results,
        errata_file=root / "docs" / "errata.md",
        program=invocation.program,
        preset=values.run or "",
        workdir=values.workdir or WORKDIR,
        commit=_commit(root) if values.run or values.output else "",
        failures={},
    )


def _commit(root: Path) -> str:
    # Imported here, because it imports jax, for which a list of slides need not wait.
    from lecture_models.runs.provenance import git_commit, shown_commit

    return shown_commit(git_commit(root))


def _show(invocation: Invocation, found: Lecture, values: Any) -> None:
    given = sources(invocation, values)
    if values.output is not None:
        # Imported here, as below, because a page needs packages that take seconds to import.
        from lecture_models.lectures.page import write_lecture

        write_lecture(found, given, values.output)
        announce(f"written: {values.output}")
        return
    width = shutil.get_terminal_size().columns
    text = terminal.shown_lecture(found, given, width)
    with until_reader_leaves():
        print(text, end="")


def _list(invocation: Invocation, values: Any) -> int:
    for flag in ("run", "output", "workdir"):
        if values[flag].value is not None:
            raise UsageError(f"--{flag} needs one lecture; --lecture=list prints their numbers")
    lectures = [read_lecture(number) for number in numbers()]
    with until_reader_leaves():
        width = shutil.get_terminal_size().columns
        print(terminal.listed(lectures, invocation.program, width), end="")
    return 0
