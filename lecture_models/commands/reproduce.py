"""Repeats a past run from its record, and prints the difference of each metric: `--reproduce`."""

import dataclasses
import math
import shlex
import typing
from pathlib import Path
from types import ModuleType
from typing import Any

from lecture_models.commands import discovery, run
from lecture_models.commands.arguments import split_flags
from lecture_models.commands.flags import read_alone
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.config import UsageError, did_you_mean
from lecture_models.reports.reproduction import shown
from lecture_models.runs import difference, provenance
from lecture_models.runs.folder import default_folder
from lecture_models.runs.json_values import as_object
from lecture_models.runs.past_run import PastRun, read_past_run
from lecture_models.runs.reader import RunFolderError
from lecture_models.training.printing import until_reader_leaves

_HELP = """\
python launch.py --reproduce=RUN [--workdir=DIR] [--tolerance=0]

Runs the finished run in the folder RUN again, in a new folder and with the recorded config, and
prints the difference of each metric. Warns if versions, commit, device or data differ from the
recorded ones. The exit code is 0 if everything is equal, within the relative tolerance."""


def reproduce(invocation: Invocation, value: str) -> int:
    """Returns 0 if each metric is equal, 1 if one differs or the run fails, 128 + n for signal n.

    Raises UsageError for a wrong command line, and RunFolderError if the run cannot be repeated.
    """
    values = _read_flags(invocation)
    if values.help:
        with until_reader_leaves():
            print(_HELP)
        return 0
    past = read_past_run(Path(value).expanduser())
    _require_finished(past)
    name = past.experiment
    workdir = Path(values.workdir or default_folder(Path("runs"), name)).expanduser()
    if workdir.resolve() == past.folder.resolve():
        raise RunFolderError(f"--workdir is {workdir}, the run itself; name a new folder")
    module = _module(invocation, past)
    chosen = run.Chosen(name, module, past.record["preset"], _config(module, past))
    invocation = _with_recorded_flags(invocation, past)
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
    resume = past.record.get("resume_command") or past.record["command"]
    error = past.summary.get("error")
    why = f"{past.status}: {error}" if error else past.status
    raise RunFolderError(
        f"{past.folder} has not finished ({why}), so there are no final metrics to compare with; "
        f"finish it first: {resume}"
    )


def _module(invocation: Invocation, past: PastRun) -> ModuleType:
    known = discovery.names(invocation.checkout.experiments)
    if past.experiment not in known:
        raise RunFolderError(
            f"{past.folder} is a run of {past.experiment!r}, which is not an experiment here"
            f"{did_you_mean(past.experiment, known)} It was run at commit "
            f"{provenance.shown_commit(as_object(past.record.get('git')))}"
        )
    return discovery.load(invocation.checkout.experiments, past.experiment)


def _config(module: ModuleType, past: PastRun) -> Any:
    """Returns the Config with all recorded values, because a preset may have changed since."""
    fields = {field.name: field for field in dataclasses.fields(module.Config)}
    hints = typing.get_type_hints(module.Config)
    for name in past.config.keys() - fields.keys():
        announce(f"warning: field {name}: {past.config[name]} recorded, but the field is gone")
    for name in fields.keys() - past.config.keys():
        announce(
            f"warning: field {name}: not recorded, because it is newer; its default is "
            f"{fields[name].default}"
        )
    kept = {name: value for name, value in past.config.items() if name in fields}
    for name, value in kept.items():
        if typing.get_origin(hints[name]) is tuple and isinstance(value, list):
            kept[name] = tuple(value)
    try:
        return module.Config(**kept)
    except (TypeError, ValueError) as error:
        raise RunFolderError(f"{past.folder}: its config is not valid any more: {error}") from error


def _with_recorded_flags(invocation: Invocation, past: PastRun) -> Invocation:
    """Adds flags of the recorded run that are not fields of its config.

    They come first, because the last one of a flag counts: the user's own flags win.
    """
    environment = as_object(past.record.get("environment"))
    is_plain = environment.get(provenance.FAST_CONVOLUTIONS) is False
    recorded = [f"--no{provenance.FAST_CONVOLUTIONS}"] if is_plain else []
    try:
        words = shlex.split(past.record["command"])
    except ValueError:
        words = []
    reading, _ = split_flags(words, {"image_size"}, {"skip_bad_images"})
    return invocation._replace(arguments=[*recorded, *reading, *invocation.arguments])


def _warn_of_origin(past: PastRun, invocation: Invocation, fast_convolutions: bool) -> None:
    present = provenance.describe_process(invocation.checkout.root, "", fast_convolutions)
    lines = [
        line
        for session in past.record["sessions"]
        for line in difference.changed_origin(session, present)
    ]
    for line in dict.fromkeys(lines):
        announce(f"warning: {line}")
