"""`--runs`: past runs for which conditions hold."""

import shlex
from pathlib import Path

from lecture_models.commands.flags import read_alone
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.reports.markdown import markdown_columns
from lecture_models.runs.past_run import PastRun, past_runs
from lecture_models.runs.query import Term, facts, matching, parse_query, resolve
from lecture_models.training.printing import until_reader_leaves

_COLUMNS = ("experiment", "seed", "status", "started")
_HELP = """\
python launch.py --runs='NAME<VALUE[, NAME=VALUE ...]' [--runs_dir=runs]

Lists past runs by the first metric that is named. NAME is a metric (eval/loss, train/loss, or loss
alone), a field of the config, or experiment, status, preset, started, device, data, run."""


def find_runs(invocation: Invocation, given: str) -> int:
    """0, found or not. Raises UsageError for a wrong command line or a name that no run has."""
    values = read_alone(
        "find",
        invocation.argv,
        instead="say --runs='experiment=NAME'",
        advice="put the condition in quotes",
    )
    if values.help:
        print(_HELP)
        return 0
    terms = parse_query(given)
    runs_dir = Path(values.runs_dir).expanduser()
    runs = past_runs(runs_dir, announce)
    if not runs:
        announce(f"there is no run below {runs_dir}")
        return 0
    terms = resolve(terms, runs)
    found = matching(terms, runs)
    if not found:
        announce(f"none of {len(runs)} runs below {runs_dir} has {given}")
        return 0
    with until_reader_leaves():
        _show(found, terms, runs_dir, invocation.program)
    return 0


def _show(found: list[PastRun], terms: list[Term], runs_dir: Path, program: str) -> None:
    """A table, and below it the command of each run: longer than a terminal is wide."""
    named = [name for name in dict.fromkeys(term.name for term in terms) if name not in _COLUMNS]
    rows = []
    for run in found:
        values = facts(run)
        shown = [_text(values.get(name)) for name in (*named, *_COLUMNS)]
        rows.append((run.folder.relative_to(runs_dir).as_posix(), *shown))
    print(markdown_columns(("run", *named, *_COLUMNS), rows))
    for run in found:
        print(_command(run, program))


def _command(run: PastRun, program: str) -> str:
    """A finished run is run again by its record, another goes on."""
    if run.status == "finished":
        return shlex.join(["python", program, f"--reproduce={run.folder}"])
    return run.record.get("resume_command") or run.record["command"]


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "-" if value is None else str(value)
