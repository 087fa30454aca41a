"""Decides whether a run continues in a folder, and from which record."""

from typing import Any, NamedTuple

from lecture_models.config import default_values
from lecture_models.experiment import Cadence
from lecture_models.runs import difference
from lecture_models.runs.folder import ANOTHER_FOLDER, RunFolder, check_same_run
from lecture_models.runs.json_values import as_object
from lecture_models.runs.provenance import DECISIVE_VARIABLES
from lecture_models.runs.reader import METRICS, RunFolderError, read_metrics
from lecture_models.training.run_spec import RunSpec

NUM_STEPS = "num_steps"
_FALSE, _TRUE = ("0", "n", "no", "f", "false", "off"), ("1", "y", "yes", "t", "true", "on")
KEPT = ("command", "preset", "started", "wandb")  # The first session's.


class Continuation(NamedTuple):
    """Describes how a run continues.

    Attributes:
        record: what config.json holds from now on.
        is_finished: whether nothing is left to do.
        changed: a line for each way in which this process computes other digits than the last
            session.
        messages: the lines for the user.
    """

    record: dict[str, Any]
    is_finished: bool = False
    changed: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()


def continuation(
    spec: RunSpec, folder: RunFolder, recorded: dict[str, Any], present: dict[str, Any]
) -> Continuation:
    """Compares the run that is about to start with the one in its folder.

    Args:
        spec: the run that is about to start.
        folder: its folder.
        recorded: the record in the folder.
        present: the record of a new run.

    Raises:
        RunFolderError: the folder holds another run, or one that cannot continue.
    """
    changeable = frozenset(
        name for name in Cadence._fields if _may_change(name, spec, folder, recorded)
    )
    check_same_run(recorded, present, folder.path, default_values(spec.config), changeable)
    before, session = recorded["config"], present["sessions"][-1]
    changed_config = {
        name: [before[name], value]
        for name, value in present["config"].items()
        if name in before and before[name] != value
    }
    record = present | {name: recorded[name] for name in KEPT}
    if changed_config:
        session["changed_config"] = changed_config
        record["command"] = spec.command  # The first command makes another run.
    record["sessions"] = [*recorded["sessions"], session]
    summary = folder.read_summary()
    # A run that is made longer is not finished yet, whatever its last summary says.
    is_finished = summary.get("status") == "finished" and (
        summary["step"] >= spec.cadence.num_steps
    )
    if is_finished:
        return Continuation(record, True)
    last = recorded["sessions"][-1] if recorded["sessions"] else recorded
    _require_environment(folder, last, session)
    changed = difference.changed_computation(last, session)
    messages = [
        f"warning: the run continues with another {line}; its last digits may differ"
        for line in changed
    ]
    if _begins_again(spec, folder, recorded, summary):
        messages.insert(
            0,
            f"{folder.path} was stopped before its first checkpoint; it begins again at step 0, "
            f"and writes its {METRICS} anew",
        )
    return Continuation(record, changed=tuple(changed), messages=tuple(messages))


def _may_change(name: str, spec: RunSpec, folder: RunFolder, recorded: dict[str, Any]) -> bool:
    """Returns True if a field of the cadence has another value than recorded, and may have it.

    Raises RunFolderError, with the reason, if the steps depend on it.
    """
    before, now = recorded["config"].get(name), getattr(spec.cadence, name)
    if before == now or type(before) is not int or recorded["experiment"] != spec.name:
        return False
    if name == NUM_STEPS and now < before:
        return False
    if reason := spec.experiment.cadence_decides.get(name):
        raise RunFolderError(
            f"{folder.path} holds a run whose {name} is {before}, and --{name} is {now}; it cannot "
            f"change, because it decides {reason}; {ANOTHER_FOLDER}"
        )
    return True


def _require_environment(
    folder: RunFolder, recorded: dict[str, Any], present: dict[str, Any]
) -> None:
    """Raises RunFolderError if a variable would change the types or the random numbers of a run."""
    if "environment" not in recorded:  # An older record.
        return
    for name in DECISIVE_VARIABLES:
        before, now = (_setting(session, name) for session in (recorded, present))
        if before != now:
            raise RunFolderError(
                f"{folder.path} holds a run with {name} {before or 'not set'}, and it is "
                f"{now or 'not set'} now, which changes types or random numbers; "
                f"{f'set {name}={before}' if before else f'unset {name}'} to resume, or "
                f"{ANOTHER_FOLDER}"
            )


def _setting(session: dict[str, Any], name: str) -> str:
    """Returns the value of a variable, the same for all ways to write a truth value."""
    value = str(as_object(session.get("environment")).get(name, "")).strip().lower()
    return "" if value in _FALSE else "1" if value in _TRUE else value


def _begins_again(
    spec: RunSpec, folder: RunFolder, recorded: dict[str, Any], summary: dict[str, Any]
) -> bool:
    """Returns True if the run took steps, but was stopped before its first checkpoint.

    Raises RunFolderError if it had saved its state, and the checkpoints are gone.
    """
    if spec.cadence.num_steps == 0 or not summary or folder.saved_steps():
        return False
    reached = max(
        (record["step"] for record in read_metrics(folder.path).records), default=summary["step"]
    )
    if not reached:
        return False
    if "checkpoints" in summary:
        had_some = bool(summary["checkpoints"])
    else:  # Older runs: a signal and the end save, and a checkpoint is complete at the next one.
        interval = recorded["config"].get("checkpoint_every")
        had_some = summary["status"] in ("interrupted", "finished")
        had_some = had_some or (type(interval) is int and reached >= 2 * interval)
    if had_some or not folder.checkpoints.is_dir():
        raise RunFolderError(
            f"{folder.path} has no checkpoint any more, so its run, which reached step "
            f"{reached:,}, cannot continue; --restart moves it aside and begins again: "
            f"{spec.resume_command(folder.path)} --restart"
        )
    return True
