"""Logs a run to Weights & Biases; no other file imports `wandb`.

A run is never asked a question, and a failure of W&B never ends training.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple

from lecture_models.experiment import DataTable
from lecture_models.runs import artifacts
from lecture_models.runs.artifacts import ArtifactKind
from lecture_models.training.tracking_options import TrackedAs, TrackingError
from lecture_models.training.transaction_log import read_records

# Seconds for the last uploads; what is not uploaded stays on the disk.
FINISH_LIMIT, FINISH_LIMIT_WITH_ARTIFACTS = 30.0, 1800.0
# 130 is a shell's code for a program that Ctrl-C ended; W&B only distinguishes zero from others.
EXIT_CODES = {"finished": 0, "pruned": 0, "interrupted": 130, "failed": 1}
SUPERSEDED = "superseded"  # Folder of offline records that a newer one contains.
_NO_ARTIFACTS: Mapping[str, Path] = MappingProxyType({})


class LoggedFile(NamedTuple):
    """Describes an artifact's file for `Tracker.log`; the file is already on the disk.

    Attributes:
        kind: the kind of the artifact, from `runs.artifacts`.
        path: the file in the run's folder.
        caption: one line; "" for none.
    """

    kind: ArtifactKind
    path: Path
    caption: str = ""


class Tracker(NamedTuple):
    """Logs a run's results somewhere besides its folder.

    Neither function raises: the first failure is announced, and the run continues untracked.

    Attributes:
        mode: the mode that was opened: `online`, `offline` or `disabled`, never `auto`.
        url: the run's page; None unless online.
        log: `log(step, values)` takes floats, texts, `LoggedFile`s and `DataTable`s by name; steps
            never decrease.
        finish: `finish(status, summary, stored)` takes `finished`, `pruned`, `interrupted` or
            `failed`, and files or folders to be stored by W&B's type of artifact; only the first
            call has an effect.
        first_missing_step: what earlier sessions recorded at this step and later is not in W&B.
    """

    mode: str
    url: str | None
    log: Callable[[int, dict[str, Any]], None]
    finish: Callable[..., None]
    first_missing_step: int = 0


def open_tracker(
    mode: str,
    tracked_as: TrackedAs | None,
    *,
    folder: Path,
    config: dict[str, Any],
    stores_artifacts: bool = False,
    announce: Callable[[str], None] = print,
    time_limit: float = 20.0,
) -> Tracker:
    """Opens a W&B run whose files lie in `folder/wandb`, or in `$WANDB_DIR/wandb`.

    Args:
        mode: `online`, `offline`, `disabled` or `auto`. `auto` is online if an API key is
            configured and else offline. If the server does not answer, `auto` continues offline; if
            W&B is missing or broken, it continues untracked; each is announced in one line.
        tracked_as: identifier, project and names; None if the mode is `disabled`.
        folder: the run's folder.
        config: the run's config, which W&B shows.
        stores_artifacts: whether `Tracker.finish` will be given artifacts, whose upload may take
            long.
        announce: takes one line for the user.
        time_limit: seconds to wait for the server.

    Raises:
        TrackingError: the mode is not `auto` and is not possible.
    """
    if mode == "disabled" or tracked_as is None:
        return _disabled()
    # W&B reports its own errors to its server; if that is silent, they delay the exit by 20 s.
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    try:
        import wandb

        _start_service(wandb)
    except Exception as error:  # A broken installation raises errors of many types.
        return _untracked(mode, error, announce)
    fields = tracked_as._asdict()
    names = {"id": fields.pop("run_id"), **fields, "config": config}
    settings = _settings(wandb, time_limit, stores_artifacts)
    failure: Exception = TrackingError("not tried")
    for attempt in ("online", "offline") if mode == "auto" else (mode,):
        try:
            if attempt == "online" and not _has_key(wandb, required=mode == "online"):
                continue
            run = wandb.init(mode=attempt, dir=_place(folder), settings=settings, **names)
            first = run.starting_step if attempt == "online" else _first_missing_step(run)
            return _tracker(wandb, run, attempt, folder, announce, first)
        except Exception as error:  # W&B raises its own errors, pydantic's and the system's.
            failure = error
            if mode == "auto" and attempt == "online":
                announce(f"W&B is not reached ({_one_line(error)}); tracked offline in {folder}")
                # W&B's process still holds the run's identifier.
                with contextlib.suppress(Exception):
                    wandb.teardown()
                    _start_service(wandb)
    return _untracked(mode, failure, announce)


def _start_service(wandb: ModuleType) -> None:
    """Connects to W&B's process, or starts one.

    A process that started this one may have named its own in the environment, and ended since.
    """
    settings = wandb.Settings(silent=True)
    try:
        wandb.setup(settings=settings)
    except Exception:  # W&B's own types of errors lie in private modules.
        if os.environ.pop("WANDB_SERVICE", None) is None:
            raise
        wandb.setup(settings=settings)


def _place(folder: Path) -> str:
    """Returns the folder in which W&B makes its own."""
    place = os.environ.get("WANDB_DIR")
    if not place:
        return str(folder)
    made = Path(place).expanduser().absolute()
    made.mkdir(parents=True, exist_ok=True)
    if not os.access(made, os.W_OK):  # W&B would write to a temporary folder without a word.
        raise PermissionError(f"WANDB_DIR is {place}, which cannot be written")
    return str(made)


def _first_missing_step(run: Any) -> int:
    """Returns the first step that W&B's server lacks when all that is on the disk is uploaded.

    Each session of an offline run has a folder of its own, and `wandb sync` appends one to the
    other. The folder of a process that was killed lacks the last seconds. So earlier folders are
    set aside, and the new one gets everything, unless they have been uploaded already.
    """
    from wandb.proto import wandb_internal_pb2

    present, last = Path(run.settings.sync_dir), -1
    for log in sorted(present.parent.glob(f"*run-*/run-{run.id}.wandb")):
        if log.parent.name == present.name:
            continue
        is_uploaded = log.parent.name.startswith("run-") or Path(f"{log}.synced").exists()
        if is_uploaded:
            steps = _steps(log, wandb_internal_pb2.Record)
            last = max([last, *steps])
        else:
            aside = present.parent / SUPERSEDED
            aside.mkdir(exist_ok=True)
            log.parent.rename(aside / log.parent.name)
    return last + 1


def _steps(log: Path, record_type: Any) -> list[int]:
    """Returns the steps at which a file of W&B has values."""
    records = map(record_type.FromString, read_records(log))
    return [record.history.step.num for record in records if record.HasField("history")]


def _has_key(wandb: ModuleType, required: bool) -> bool:
    """Looks for an API key in the environment, W&B's settings and netrc; never asks the user."""
    has_key = wandb.login(prompt=False, verify=False)
    if required and not has_key:
        raise TrackingError("no API key; run `wandb login`, set WANDB_API_KEY, or choose offline")
    return has_key


def _untracked(mode: str, error: Exception, announce: Callable[[str], None]) -> Tracker:
    if mode != "auto":
        raise TrackingError(f"W&B cannot track {mode}: {_one_line(error)}") from error
    announce(f"W&B cannot be used ({_one_line(error)}); the run is not tracked")
    return _disabled()


def _settings(wandb: ModuleType, time_limit: float, stores_artifacts: bool) -> Any:
    # All other settings keep W&B's defaults, or what its environment variables say: system metrics,
    # the console's output, the commit and the installed packages are recorded.
    return wandb.Settings(
        silent=True,
        init_timeout=time_limit,
        finish_timeout=FINISH_LIMIT_WITH_ARTIFACTS if stores_artifacts else FINISH_LIMIT,
        finish_timeout_raises=True,
        reinit="create_new",  # Never reuse the run of another tracker in this process.
    )


def _tracker(
    wandb: ModuleType,
    run: Any,
    mode: str,
    folder: Path,
    announce: Callable[[str], None],
    first_missing_step: int,
) -> Tracker:
    lost = False  # After a failure nothing more is logged.
    ended = False
    unreadable: set[str] = set()  # Names of artifacts whose file W&B cannot take.

    def loggable(step: int, values: dict[str, Any]) -> dict[str, Any]:
        taken = {}
        for name, value in values.items():
            try:
                taken[name] = _loggable(wandb, run, folder, value)
            except (OSError, ValueError) as error:  # Such as a picture that was damaged since.
                if name not in unreadable:
                    announce(f"W&B lacks {name} at step {step} ({_one_line(error)})")
                unreadable.add(name)
        return taken

    def log(step: int, values: dict[str, Any]) -> None:
        nonlocal lost
        if lost or ended:
            return
        try:
            run.log(loggable(step, values), step=step)
        except Exception as error:  # Tracking must not end hours of training.
            lost = True
            announce(f"W&B failed at step {step} ({_one_line(error)}); the run continues untracked")

    def finish(
        status: str, summary: dict[str, Any], stored: Mapping[str, Path] = _NO_ARTIFACTS
    ) -> None:
        nonlocal ended
        if ended:
            return
        ended = True
        try:
            run.summary.update({**summary, "status": status})
            for kind, path in stored.items():
                _store(wandb, run, kind, path)
            if stored and mode == "online":
                announce(f"uploading to W&B: {' and '.join(stored)}")
            run.finish(exit_code=EXIT_CODES.get(status, 1))
        except Exception as error:  # The run's folder is complete without W&B.
            if not lost:
                announce(f"W&B did not finish ({_one_line(error)}); the rest is on the disk")

    url = run.url if mode == "online" else None
    return Tracker(mode, url, log, finish, first_missing_step)


def _store(wandb: ModuleType, run: Any, kind: str, path: Path) -> None:
    """Stores a file or folder as an artifact of W&B, whose type is `kind`.

    W&B reads the files when it uploads them, which is later if the run is offline. Without the
    policy it would first copy everything into the user's home.
    """
    artifact = wandb.Artifact(f"{kind}-{run.id}", type=kind)
    if path.is_dir():
        artifact.add_dir(str(path), policy="immutable")
    else:
        # The original may change until then, as a report does that is written again.
        copy = Path(run.settings.sync_dir) / "artifacts" / path.name
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, copy)
        artifact.add_file(str(copy), policy="immutable")
    run.log_artifact(artifact, aliases=["final"])


def _loggable(wandb: ModuleType, run: Any, folder: Path, value: Any) -> Any:
    """Converts one value of `Tracker.log` into what `run.log` takes."""
    if isinstance(value, DataTable):
        # A column may hold numbers beside texts.
        return wandb.Table(
            list(value.columns), [list(row) for row in value.rows], allow_mixed_types=True
        )
    if isinstance(value, LoggedFile):
        return _loggable_file(wandb, run, folder, value)
    return value if isinstance(value, str) else float(value)


def _loggable_file(wandb: ModuleType, run: Any, folder: Path, file: LoggedFile) -> Any:
    path, caption = str(file.path), file.caption or None
    if file.kind == artifacts.IMAGES:
        return wandb.Image(path, caption=caption)
    if file.kind == artifacts.SOUNDS:
        return wandb.Audio(path, caption=caption)
    if file.kind == artifacts.ANIMATIONS:
        return wandb.Video(path, caption=caption, format="gif")
    # W&B has no player for scores: the file is stored with the run, and its name is logged.
    run.save(path, base_path=str(folder), policy="now")
    return file.path.relative_to(folder).as_posix()


def _disabled() -> Tracker:
    return Tracker("disabled", None, lambda step, values: None, lambda *end: None)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:140] or type(error).__name__
