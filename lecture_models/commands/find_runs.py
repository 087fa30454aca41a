"""Finds past runs by conditions: `--runs`."""

import shlex
from pathlib import Path

from lecture_models.commands.flags import read_alone
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.reports.html import cells
from lecture_models.reports.markdown import markdown_columns
from lecture_models.runs.past_run import PastRun, past_runs
from lecture_models.runs.query import Condition, facts, matching, parse_query, resolve
from lecture_models.training.printing import until_reader_leaves

_COLUMNS = ("experiment", "seed", "status", "started")
_HELP = """\
python launch.py --runs='NAME<VALUE[, NAME=VALUE ...]' [--runs_dir=runs]

Lists the past runs for which all conditions hold, the best first by the first metric among the
conditions. NAME is a metric (eval/loss, train/loss, or just loss), a field of the config, or one of
experiment, status, preset, started, device, data, run. Operators: < <= > >= = !="""


def find_runs(invocation: Invocation, value: str) -> int:
    """Prints the runs that match, and a command for each; returns 0 even if none does.

    Raises UsageError for a wrong command line, or for a name that no run has.
    """
    values = read_alone(
        "find",
        invocation.argv,
        instead="write --runs='experiment=NAME'",
        advice="put the conditions in quotes",
    )
    if values.help:
        print(_HELP)
        return 0
    conditions = parse_query(value)
    runs_dir = values.runs_dir
    runs = past_runs(runs_dir, announce)
    if not runs:
        announce(f"there are no runs below {runs_dir}")
        return 0
    conditions = resolve(conditions, runs)
    found = matching(conditions, runs)
    if not found:
        announce(f"none of the {len(runs)} runs below {runs_dir} has {value}")
        return 0
    with until_reader_leaves():
        _show(found, conditions, runs_dir, invocation.program)
    return 0


def _show(found: list[PastRun], conditions: list[Condition], runs_dir: Path, program: str) -> None:
    """Prints a table, then the commands, which would make the table wider than a terminal."""
    named = dict.fromkeys(condition.name for condition in conditions)
    columns = [*(name for name in named if name not in _COLUMNS), *_COLUMNS]
    values = [facts(run) for run in found]
    names = [run.folder.relative_to(runs_dir).as_posix() for run in found]
    texts = [cells([row.get(name) for row in values]) for name in columns]
    print(markdown_columns(("run", *columns), list(zip(names, *texts, strict=True))))
    for run in found:
        print(_command(run, program))


def _command(run: PastRun, program: str) -> str:
    """Returns the command that repeats a finished run, or continues another one."""
    if run.status == "finished":
        return shlex.join(["python", program, f"--reproduce={run.folder}"])
    return run.resume_command
