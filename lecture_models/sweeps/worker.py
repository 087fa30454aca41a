"""Executes a sweep's trials in one process, one after the other, each as an ordinary run."""

import contextlib
import errno
import math
import shlex
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from optuna.trial import TrialState

from lecture_models.config import UsageError
from lecture_models.runs.json_values import as_number
from lecture_models.runs.reader import RunFolderError, read_summary
from lecture_models.sweeps.heartbeat import WorkerHeartbeat
from lecture_models.sweeps.spec import SweepSpec
from lecture_models.sweeps.study import (
    ATTEMPT,
    DIVERGED,
    ERROR,
    FINAL,
    INTERRUPTED,
    OUTCOME,
    ClaimedTrial,
    TrialQueue,
)
from lecture_models.training.metric_window import NonFiniteError
from lecture_models.training.pruning import PruningCallback

POLL_S = 1.0
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)

Launch = Callable[[list[str], PruningCallback], int]


class Sweep(NamedTuple):
    """Holds what a worker needs to run a sweep's trials.

    Attributes:
        folder: folder of the sweep.
        name: name of the sweep, which is also the group of its runs in W&B.
        spec: content of the sweep's file.
        flags: command-line flags of every trial.
        announce: prints one line for the user.
        database_errors: returns a context that turns an error of the database into one line.
    """

    folder: Path
    name: str
    spec: SweepSpec
    flags: list[str]
    announce: Callable[[str], None]
    database_errors: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext

    def trial_folder(self, index: int) -> Path:
        return self.folder / "trials" / f"{index:04d}"

    def arguments(self, draws: dict[str, Any]) -> list[str]:
        """Returns the command-line arguments of a trial, without its folder."""
        values = self.spec.constants | self.spec.values(draws)
        return [*self.flags, *(f"--{name}={as_flag(value)}" for name, value in values.items())]


def as_flag(value: Any) -> str:
    """Returns a value as it is typed behind --NAME=."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def run_trials(sweep: Sweep, queue: TrialQueue, heartbeat: WorkerHeartbeat, launch: Launch) -> int:
    """Executes trials until all are done; returns the exit code, 128 + n if signal n ended a trial.

    While other workers run the last trials it waits, since one of them may die.
    """
    while True:
        claimed = queue.claim()
        if claimed is None:
            if queue.is_done():
                return 0
            time.sleep(POLL_S)
            continue
        try:
            with heartbeat.keep_alive(lambda trial=claimed: queue.record_heartbeat(trial)):
                code = _Attempt(sweep, queue, claimed).run(launch)
        except BaseException:
            queue.fail(claimed, "stopped between two steps", INTERRUPTED)
            raise
        if code:
            return code


class _Attempt:
    """Makes one attempt at a trial and tells the study its outcome."""

    def __init__(self, sweep: Sweep, queue: TrialQueue, claimed: ClaimedTrial):
        self._sweep, self._queue, self._claimed = sweep, queue, claimed
        self._folder = sweep.trial_folder(claimed.index)
        self._error: BaseException | None = None

    def run(self, launch: Launch) -> int:
        """Returns 0 if the sweep can continue, whether or not the trial failed."""
        workdir = f"--workdir={self._folder}"
        arguments = [*self._sweep.arguments(self._claimed.draws), workdir]
        own_flags = shlex.join(arguments[len(self._sweep.flags) : -1])
        self._sweep.announce(f"trial {self._claimed.index}: {own_flags}")
        callback = PruningCallback(self._on_evaluation, self._on_failure)
        try:
            code = launch(arguments, callback)
        except Exception as error:  # A bug in an experiment ends one trial, not the sweep.
            self._on_failure(error)
            code = 1
        if code > 128:
            self._queue.fail(self._claimed, "interrupted", INTERRUPTED)
            return code
        return self._record_result() if code == 0 else self._record_failure()

    def _on_evaluation(self, count: int, metrics: dict[str, float]) -> bool:
        """Gives Optuna the metric of an evaluation; returns True if the trial must be pruned."""
        value = metrics.get(self._sweep.spec.metric)
        if value is None:
            return False
        with self._sweep.database_errors():
            self._claimed.trial.report(value, count)
            return self._claimed.trial.should_prune()

    def _on_failure(self, error: BaseException) -> None:
        self._error = error

    def _record_result(self) -> int:
        trial, index = self._claimed.trial, self._claimed.index
        try:
            summary = read_summary(self._folder).require()
        except RunFolderError as error:
            self._on_failure(error)
            return self._record_failure()
        trial.set_user_attr("seconds", summary.get("wall_time_s"))
        trial.set_user_attr("step", summary.get("step"))
        metric = self._sweep.spec.metric
        value = as_number(summary["metrics"].get(metric))
        if summary["status"] == "pruned":
            self._tell(TrialState.PRUNED, None, f"pruned at step {summary.get('step')}")
        elif value is None or not math.isfinite(value):
            self._queue.fail(self._claimed, f"{metric} is {value}", FINAL)
            self._sweep.announce(f"trial {index} failed: {metric} is {value}")
        else:
            self._tell(TrialState.COMPLETE, value, f"{metric} {value:.6g}")
        return 0

    def _tell(self, state: TrialState, value: float | None, words: str) -> None:
        is_counted = self._queue.tell(self._claimed.trial, state, value)
        note = "" if is_counted else "; another worker took it over, this result is not counted"
        self._sweep.announce(f"trial {self._claimed.index}: {words}{note}")

    def _record_failure(self) -> int:
        """Returns 1 if no other trial could run either, else 0."""
        index, error = self._claimed.index, self._error
        line = " ".join(f"{type(error).__name__}: {error}".split()) if error else "failed"
        if _is_disk_full(error):
            self._queue.fail(self._claimed, line, INTERRUPTED)
            self._sweep.announce(f"error: trial {index}: {line}; the sweep stops")
            return 1
        if isinstance(error, NonFiniteError):
            # Optuna ranks a pruned trial without a value last: the search avoids its region.
            self._claimed.trial.set_user_attr(OUTCOME, DIVERGED)
            self._claimed.trial.set_user_attr(ERROR, line)
            self._tell(TrialState.PRUNED, None, f"diverged: {error}")
            return 0
        self._write_traceback(error)
        is_final = isinstance(error, UsageError)
        self._queue.fail(self._claimed, line, FINAL if is_final else "failed")
        attempt = self._claimed.trial.user_attrs.get(ATTEMPT, 0) + 1
        self._sweep.announce(f"trial {index} failed, attempt {attempt}: {line}")
        return 0

    def _write_traceback(self, error: BaseException | None) -> None:
        if error is None:
            return
        folder = self._sweep.folder / "failures"
        folder.mkdir(exist_ok=True)
        path = folder / f"{self._claimed.index:04d}-{self._claimed.trial.number}.txt"
        path.write_text("".join(traceback.format_exception(error)), "utf-8")


def _is_disk_full(error: BaseException | None) -> bool:
    causes = (error, getattr(error, "__cause__", None))
    return any(isinstance(cause, OSError) and cause.errno in DISK_FULL for cause in causes)
