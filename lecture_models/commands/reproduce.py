"""Repeats a past run from its record, and prints the difference of each metric: `--reproduce`."""

import math
from pathlib import Path
from typing import Any

from lecture_models.commands import run
from lecture_models.commands.flags import read_alone
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.commands.past_experiment import past_config, past_flags, past_module
from lecture_models.config import UsageError
from lecture_models.reports.reproduction import shown
from lecture_models.runs import difference, provenance
from lecture_models.runs.folder import default_folder
from lecture_models.runs.past_run import PastRun, read_past_run
from lecture_models.runs.reader import RunFolderError
from lecture_models.training.printing import until_reader_leaves

_HELP = """\
python launch.py --reproduce=RUN [--workdir=DIR] [--tolerance=0]

Runs the finished run in the folder RUN again, in a new folder and with the recorded config, and
prints the difference of each metric. Warns if versions, commit, device or data differ from the
recorded ones. The exit code is 0 if everything is equal, within the relative tolerance."""


def reproduce(invocation: Invocation, run_folder: Path) -> int:
    """Returns 0 if each metric is equal, 1 if one differs or the run fails, 128 + n for signal n.

    Raises UsageError for a wrong command line, and RunFolderError if the run cannot be repeated.
    """
    values = _read_flags(invocation)
    if values.help:
        with until_reader_leaves():
            print(_HELP)
        return 0
    past = read_past_run(run_folder)
    _require_finished(past)
    name = past.experiment
    workdir = values.workdir or default_folder(Path("runs"), name)
    if workdir.resolve() == past.folder.resolve():
        raise RunFolderError(f"--workdir is {workdir}, the run itself; name a new folder")
    module = past_module(invocation.checkout.experiments, past)
    chosen = run.Chosen(name, module, past.record["preset"], past_config(module, past, announce))
    # The user's own flags come last, because the last one of a flag counts.
    invocation = invocation._replace(arguments=[*past_flags(past), *invocation.arguments])
    values = _read_flags(invocation)
    _warn_of_origin(past, invocation, values.fast_convolutions)
    spec = run.make_run_spec(invocation, chosen, values, run.open_sources(module, values))
    for line in difference.changed_data(past.record["data"], spec.data):
        announce(f"warning: {line}")
    code = run.train(spec, workdir)
    if code != 0:
        return code
    result = difference.repetition(past, read_past_run(workdir), values.tolerance)
    with until_reader_leaves():
        print(shown(result), end="")
    return 0 if result.equal else 1


def _read_flags(invocation: Invocation) -> Any:
    values = read_alone("reproduce", invocation.argv)
    if not (values.tolerance >= 0 and math.isfinite(values.tolerance)):
        raise UsageError(
            f"--tolerance is {values.tolerance}; it must be a finite number of at least 0"
        )
    return values


def _require_finished(past: PastRun) -> None:
    if past.status == "finished":
        return
    error = past.summary.get("error")
    why = f"{past.status}: {error}" if error else past.status
    raise RunFolderError(
        f"{past.folder} has not finished ({why}), so there are no final metrics to compare with; "
        f"finish it first: {past.resume_command}"
    )


def _warn_of_origin(past: PastRun, invocation: Invocation, fast_convolutions: bool) -> None:
    present = provenance.describe_process(invocation.checkout.root, "", fast_convolutions)
    lines = [
        line
        for session in past.record["sessions"]
        for line in difference.changed_origin(session, present)
    ]
    for line in dict.fromkeys(lines):
        announce(f"warning: {line}")
