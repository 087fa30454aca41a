"""Logs a run to Weights & Biases; no other file imports `wandb`.

A run is never asked a question, and a failure of W&B never ends training.
"""

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from lecture_models.experiment import DataTable
from lecture_models.runs import artifacts
from lecture_models.runs.artifacts import ArtifactKind

MODES = ("auto", "online", "offline", "disabled")
FINISH_LIMIT = 30.0  # Seconds for the last uploads; what is not uploaded stays on the disk.
# 130 is a shell's code for a program that Ctrl-C ended; W&B tells only zero from the rest.
EXIT_CODES = {"finished": 0, "pruned": 0, "interrupted": 130, "failed": 1}


class TrackingError(RuntimeError):
    """Says, in one line for the user, that the requested W&B mode is not possible."""


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
        run_id: W&B's identifier, with which a resumed run continues the same W&B run.
        url: the run's page; None unless online.
        log: `log(step, values)` takes floats, texts, `LoggedFile`s and `DataTable`s by name; steps
            never decrease.
        finish: `finish(status, summary)` takes `finished`, `pruned`, `interrupted` or `failed`;
            only the first call has an effect.
    """

    mode: str
    run_id: str | None
    url: str | None
    log: Callable[[int, dict[str, Any]], None]
    finish: Callable[[str, dict[str, Any]], None]


def open_tracker(
    mode: str,
    *,
    folder: Path,
    project: str,
    experiment: str,
    config: dict[str, Any],
    run_id: str | None = None,
    group: str | None = None,
    announce: Callable[[str], None] = print,
    time_limit: float = 20.0,
) -> Tracker:
    """Opens a W&B run whose files lie in `folder/wandb`.

    Args:
        mode: `online`, `offline`, `disabled` or `auto`. `auto` obeys the environment variable
            `WANDB_MODE`; without it, it is online if an API key is configured and else offline. If
            the server does not answer, `auto` continues offline; if W&B is missing or broken, it
            continues untracked; each is announced in one line.
        folder: the run's folder.
        project: W&B's project.
        experiment: name of the experiment.
        config: the run's config, which W&B shows.
        run_id: the W&B run to continue; None for a new one.
        group: W&B shows the runs of one group together; None for a group of the experiment's runs.
        announce: takes one line for the user.
        time_limit: seconds to wait for the server.

    Raises:
        TrackingError: the mode is unknown, or it is not `auto` and is not possible.
    """
    if mode not in MODES:
        raise TrackingError(f"W&B mode is {mode!r}; allowed: {', '.join(MODES)}")
    if mode == "auto" and os.environ.get("WANDB_MODE") in MODES:
        mode = os.environ["WANDB_MODE"]
    if mode == "disabled":
        return _disabled()
    # W&B reports its own errors to its server; if that is silent, they delay the exit by 20 s.
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    try:
        import wandb

        wandb.setup(settings=wandb.Settings(silent=True))
    except Exception as error:  # A broken installation raises errors of many types.
        return _untracked(mode, error, announce)
    names = {"project": project, "group": group or experiment, "name": folder.name}
    names |= {"id": run_id, "resume": "allow" if run_id else None}
    names |= {"dir": str(folder), "config": config}
    failure: Exception = TrackingError("not tried")
    for attempt in ("online", "offline") if mode == "auto" else (mode,):
        try:
            if attempt == "online" and not _has_key(wandb, required=mode == "online"):
                continue
            run = wandb.init(mode=attempt, settings=_settings(wandb, time_limit), **names)
            return _tracker(wandb, run, attempt, folder, announce)
        except Exception as error:  # W&B raises its own errors, pydantic's and the system's.
            failure = error
            if mode == "auto" and attempt == "online":
                announce(f"W&B is not reached ({_one_line(error)}); tracked offline in {folder}")
    return _untracked(mode, failure, announce)


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


def _settings(wandb: ModuleType, time_limit: float) -> Any:
    return wandb.Settings(
        silent=True,
        console="off",
        save_code=False,
        disable_git=True,  # The run's config.json has the commit already.
        disable_job_creation=True,
        x_disable_meta=True,
        x_disable_stats=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
        init_timeout=time_limit,
        finish_timeout=FINISH_LIMIT,
        finish_timeout_raises=True,
        reinit="create_new",  # Never reuse the run of another tracker in this process.
    )


def _tracker(
    wandb: ModuleType, run: Any, mode: str, folder: Path, announce: Callable[[str], None]
) -> Tracker:
    lost = False  # After a failure nothing more is logged.
    ended = False

    def log(step: int, values: dict[str, Any]) -> None:
        nonlocal lost
        if lost or ended:
            return
        try:
            loggable = {
                name: _loggable(wandb, run, folder, value) for name, value in values.items()
            }
            run.log(loggable, step=step)
        except Exception as error:  # Tracking must not end hours of training.
            lost = True
            announce(f"W&B failed at step {step} ({_one_line(error)}); the run continues untracked")

    def finish(status: str, summary: dict[str, Any]) -> None:
        nonlocal ended
        if ended:
            return
        ended = True
        try:
            run.summary.update({**summary, "status": status})
            run.finish(exit_code=EXIT_CODES.get(status, 1))
        except Exception as error:  # The run's folder is complete without W&B.
            if not lost:
                announce(f"W&B did not finish ({_one_line(error)}); the rest is on the disk")

    return Tracker(mode, run.id, run.url if mode == "online" else None, log, finish)


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
    return Tracker("disabled", None, None, lambda step, values: None, lambda status, summary: None)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:140] or type(error).__name__
