"""Weights & Biases: the only file that knows it. A run is never asked a question, nor killed."""

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

MODES = ("auto", "online", "offline", "disabled")
FINISH_LIMIT = 30.0  # Seconds for the last uploads; what is left stays on the disk.
# The shell's number for a run that Ctrl-C ended; W&B itself knows only zero and the rest.
EXIT_CODES = {"finished": 0, "pruned": 0, "interrupted": 130, "failed": 1}


class TrackingError(RuntimeError):
    """The tracking that was asked for by name cannot be had; one line, for the person."""


class Picture(NamedTuple):
    """A picture of `Tracker.log`, already on disk."""

    path: Path
    caption: str = ""


class Tracker(NamedTuple):
    """Where a run's numbers go besides its folder.

    - `mode` is what was opened: `online`, `offline` or `disabled`, never `auto`.
    - `log(step, values)` takes floats, strings and `Picture`s by name; steps never go down.
    - `finish(status, summary)` takes `finished`, `pruned`, `interrupted` or `failed`, acts once.

    Neither raises: the first failure is announced, and the run goes on untracked.
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
    """Opens W&B's run, whose files lie in `folder/wandb`.

    `auto` is online where a key is configured, else offline; it also obeys `WANDB_MODE`. Where
    its server is silent for `time_limit` seconds it goes on offline, and where W&B is missing or
    broken it goes on without, each with one announced line. `run_id` continues that run. Runs of
    one `group` stand together; without one, those of an experiment do.

    Raises TrackingError for an unknown mode, and where a mode asked for by name cannot be had.
    """
    if mode not in MODES:
        raise TrackingError(f"W&B mode is {mode!r}; allowed: {', '.join(MODES)}")
    if mode == "auto" and os.environ.get("WANDB_MODE") in MODES:
        mode = os.environ["WANDB_MODE"]
    if mode == "disabled":
        return _disabled()
    # W&B's reports about itself: where its server is silent they hold up the exit by 20 s.
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    try:
        import wandb

        wandb.setup(settings=wandb.Settings(silent=True))
    except Exception as error:  # Absent, or broken in a way of its own.
        return _untracked(mode, error, announce)
    names = {"project": project, "group": group or experiment, "name": folder.name}
    names |= {"id": run_id, "resume": "allow" if run_id else None}
    names |= {"dir": str(folder), "config": config}
    failure: Exception = TrackingError("not tried")
    for kind in ("online", "offline") if mode == "auto" else (mode,):
        try:
            if kind == "online" and not _has_key(wandb, required=mode == "online"):
                continue
            run = wandb.init(mode=kind, settings=_settings(wandb, time_limit), **names)
            return _tracker(wandb, run, kind, announce)
        except Exception as error:  # W&B raises its own, pydantic's and the system's.
            failure = error
            if mode == "auto" and kind == "online":
                announce(f"W&B is not reached ({_one_line(error)}); tracked offline in {folder}")
    return _untracked(mode, failure, announce)


def _has_key(wandb: ModuleType, required: bool) -> bool:
    """From the environment, W&B's settings or netrc, and never from the person."""
    found = wandb.login(prompt=False, verify=False)
    if required and not found:
        raise TrackingError("no API key; run `wandb login`, set WANDB_API_KEY, or choose offline")
    return found


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
        reinit="create_new",  # Never another tracker's run.
    )


def _tracker(wandb: ModuleType, run: Any, kind: str, announce: Callable[[str], None]) -> Tracker:
    lost = False  # Nothing is logged any more.
    ended = False

    def log(step: int, values: dict[str, Any]) -> None:
        nonlocal lost
        if lost or ended:
            return
        try:
            run.log({name: _loggable(wandb, value) for name, value in values.items()}, step=step)
        except Exception as error:  # Tracking must not end hours of training, whatever it meets.
            lost = True
            announce(f"W&B failed at step {step} ({_one_line(error)}); the run goes on untracked")

    def finish(status: str, summary: dict[str, Any]) -> None:
        nonlocal ended
        if ended:
            return
        ended = True
        try:
            run.summary.update({**summary, "status": status})
            run.finish(exit_code=EXIT_CODES.get(status, 1))
        except Exception as error:  # The run's folder is whole without it.
            if not lost:
                announce(f"W&B did not finish ({_one_line(error)}); the rest is on the disk")

    return Tracker(kind, run.id, run.url if kind == "online" else None, log, finish)


def _loggable(wandb: ModuleType, value: Any) -> Any:
    if isinstance(value, Picture):
        return wandb.Image(str(value.path), caption=value.caption or None)
    return value if isinstance(value, str) else float(value)


def _disabled() -> Tracker:
    return Tracker("disabled", None, None, lambda step, values: None, lambda status, summary: None)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:140] or type(error).__name__
