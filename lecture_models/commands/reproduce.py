"""`--reproduce`: a past run once more, by its own record, and the difference of every metric."""

import dataclasses
import math
import shlex
import typing
from pathlib import Path
from types import ModuleType
from typing import Any

from lecture_models.commands import arguments, discovery, run
from lecture_models.commands.flags import read_alone
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.config import UsageError, did_you_mean
from lecture_models.reports.reproduction import shown
from lecture_models.runs import difference, provenance
from lecture_models.runs.folder import RunFolderError, default_folder
from lecture_models.runs.past_run import PastRun, read_past_run
from lecture_models.training.printing import until_reader_leaves


def reproduce(invocation: Invocation, given: str) -> int:
    """0 where every metric is equal, 1 where one differs or the run fails, 128 + n for signal n.

    Raises UsageError for a wrong command line, RunFolderError for a folder that cannot be repeated.
    """
    values = _read_flags(invocation)
    if values.help:
        with until_reader_leaves():
            print(_HELP)
        return 0
    past = read_past_run(Path(given).expanduser())
    _require_finished(past)
    name = past.experiment
    workdir = Path(values.workdir or default_folder(Path("runs"), name)).expanduser()
    if workdir.resolve() == past.folder.resolve():
        raise RunFolderError(f"--workdir is {workdir}, the run itself; name a new folder")
    module = _module(invocation, past)
    chosen = run.Chosen(name, module, past.record["preset"], _config(module, past))
    invocation = _with_recorded_reading(invocation, past)
    _warn_of_origin(past, invocation)
    values = _read_flags(invocation)
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


_HELP = """\
python launch.py --reproduce=RUN_FOLDER [--workdir=DIR] [--tolerance=0]

Runs a finished run again, in a new folder, with exactly the recorded config, and prints every
metric's difference. Warns where versions, commit, device or data are others than the recorded.
The exit code is 0 where all is equal, within the relative tolerance."""


def _read_flags(invocation: Invocation) -> Any:
    values = read_alone("reproduce", invocation.argv)
    if not (values.tolerance >= 0 and math.isfinite(values.tolerance)):
        raise UsageError(f"--tolerance is {values.tolerance}; it must be at least 0")
    return values


def _require_finished(past: PastRun) -> None:
    if past.status == "finished":
        return
    resume = past.record.get("resume_command") or past.record["command"]
    error = past.summary.get("error")
    why = f"{past.status}: {error}" if error else past.status
    raise RunFolderError(
        f"{past.folder} is not finished ({why}), so there is nothing to hold a repetition against; "
        f"finish it first: {resume}"
    )


def _module(invocation: Invocation, past: PastRun) -> ModuleType:
    known = discovery.names(invocation.house.experiments)
    if past.experiment not in known:
        raise RunFolderError(
            f"{past.folder} is a run of {past.experiment!r}, which is no experiment here"
            f"{did_you_mean(past.experiment, known)} It was run at commit "
            f"{provenance.shown_commit(past.record.get('git'))}"
        )
    return discovery.load(invocation.house.experiments, past.experiment)


def _config(module: ModuleType, past: PastRun) -> Any:
    """The recorded fields by their values: a preset may have changed since."""
    fields = {field.name: field for field in dataclasses.fields(module.Config)}
    hints = typing.get_type_hints(module.Config)
    for name in past.config.keys() - fields.keys():
        announce(f"warning: field {name}: {past.config[name]} recorded, there is none now")
    for name in fields.keys() - past.config.keys():
        announce(f"warning: field {name}: new since, at its default {fields[name].default}")
    kept = {name: value for name, value in past.config.items() if name in fields}
    for name, value in kept.items():
        if typing.get_origin(hints[name]) is tuple and isinstance(value, list):
            kept[name] = tuple(value)
    try:
        return module.Config(**kept)
    except (TypeError, ValueError) as error:
        raise RunFolderError(f"{past.folder}: its config is refused now: {error}") from error


def _with_recorded_reading(invocation: Invocation, past: PastRun) -> Invocation:
    """How a folder of pictures was read is in the command alone; the flags of now come before."""
    try:
        words = shlex.split(past.record["command"])
    except ValueError:
        return invocation
    taken, _ = arguments.part(words, {"image_size"}, {"skip_bad_images"})
    # Of a flag that is given twice the last counts.
    return invocation._replace(arguments=[*taken, *invocation.arguments])


def _warn_of_origin(past: PastRun, invocation: Invocation) -> None:
    present = provenance.describe_process(invocation.house.root, "")
    lines = [
        line
        for session in past.record["sessions"]
        for line in difference.changed_origin(session, present)
    ]
    for line in dict.fromkeys(lines):
        announce(f"warning: {line}")
