"""One process's share of a sweep: a trial after the other, each an ordinary run in its folder."""

import errno
import json
import math
import shlex
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from optuna.trial import TrialState

from lecture_models.config import UsageError
from lecture_models.sweeps.heartbeat import WorkerHeartbeat
from lecture_models.sweeps.spec import Spec
from lecture_models.sweeps.study import (
    DIVERGED,
    ERROR,
    FINAL,
    INTERRUPTED,
    OUTCOME,
    TRY,
    ClaimedTrial,
    TrialQueue,
)
from lecture_models.training.metric_window import NonFiniteError
from lecture_models.training.pruning import PruningCallback

POLL_S = 1.0
FULL = (errno.ENOSPC, errno.EDQUOT)

Launch = Callable[[list[str], PruningCallback], int]


class Sweep(NamedTuple):
    """What a worker works on: `flags` are those that every trial has."""

    folder: Path
    name: str
    spec: Spec
    flags: list[str]
    announce: Callable[[str], None]

    def trial_folder(self, index: int) -> Path:
        return self.folder / "trials" / f"{index:04d}"

    def arguments(self, draws: dict[str, Any]) -> list[str]:
        values = self.spec.constants | self.spec.values(draws)
        return [*self.flags, *(f"--{name}={as_flag(value)}" for name, value in values.items())]


def as_flag(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def rerun_command(program: str, arguments: list[str]) -> str:
    return shlex.join(["python", program, *arguments])


def work(sweep: Sweep, ledger: TrialQueue, crew: WorkerHeartbeat, launch: Launch) -> int:
    """Until no trial is left to do; returns the exit code, 128 + n where a signal ended it.

    Where others do the last trials it waits: one of them may die.
    """
    while True:
        claim = ledger.claim()
        if claim is None:
            if ledger.is_done():
                return 0
            time.sleep(POLL_S)
            continue
        try:
            with crew.beating(lambda held=claim: ledger.beat(held)):
                code = _Attempt(sweep, ledger, claim).run(launch)
        except BaseException:
            ledger.fail(claim, "stopped between two steps", INTERRUPTED)
            raise
        if code:
            return code


class _Attempt:
    """One try at a trial, from its launch to what the study is told."""

    def __init__(self, sweep: Sweep, ledger: TrialQueue, claim: ClaimedTrial):
        self._sweep, self._ledger, self._claim = sweep, ledger, claim
        self._folder = sweep.trial_folder(claim.index)
        self._error: BaseException | None = None

    def run(self, launch: Launch) -> int:
        """0 where the sweep goes on, whatever became of the trial."""
        workdir = f"--workdir={self._folder}"
        arguments = [*self._sweep.arguments(self._claim.draws), workdir]
        shown = shlex.join(arguments[len(self._sweep.flags) : -1])
        self._sweep.announce(f"trial {self._claim.index}: {shown}")
        watch = PruningCallback(self._sweep.name, self._evaluated, self._failed)
        try:
            code = launch(arguments, watch)
        except Exception as error:  # A bug of the experiment's ends one trial, not the sweep.
            self._failed(error)
            code = 1
        if code > 128:
            self._ledger.fail(self._claim, "interrupted", INTERRUPTED)
            return code
        return self._record() if code == 0 else self._record_failure()

    def _evaluated(self, count: int, metrics: dict[str, float]) -> bool:
        value = metrics.get(self._sweep.spec.metric)
        if value is None:
            return False
        self._claim.trial.report(value, count)
        return self._claim.trial.should_prune()

    def _failed(self, error: BaseException) -> None:
        self._error = error

    def _record(self) -> int:
        trial, index = self._claim.trial, self._claim.index
        summary = json.loads((self._folder / "summary.json").read_text("utf-8"))
        trial.set_user_attr("seconds", summary.get("wall_time_s"))
        trial.set_user_attr("step", summary.get("step"))
        value = summary.get("metrics", {}).get(self._sweep.spec.metric)
        if summary["status"] == "pruned":
            self._told(TrialState.PRUNED, None, f"pruned at step {summary.get('step')}")
        elif value is None or not math.isfinite(value):
            self._ledger.fail(self._claim, f"{self._sweep.spec.metric} is {value}", FINAL)
            self._sweep.announce(f"trial {index} failed: {self._sweep.spec.metric} is {value}")
        else:
            self._told(TrialState.COMPLETE, value, f"{self._sweep.spec.metric} {value:.6g}")
        return 0

    def _told(self, state: TrialState, value: float | None, words: str) -> None:
        taken = not self._ledger.tell(self._claim.trial, state, value)
        note = "; another worker took it over, this result is not counted" if taken else ""
        self._sweep.announce(f"trial {self._claim.index}: {words}{note}")

    def _record_failure(self) -> int:
        """1 where nothing else could be trained either."""
        index, error = self._claim.index, self._error
        line = " ".join(f"{type(error).__name__}: {error}".split()) if error else "failed"
        if _is_full(error):
            self._ledger.fail(self._claim, line, INTERRUPTED)
            self._sweep.announce(f"error: trial {index}: {line}; the sweep stops")
            return 1
        if isinstance(error, NonFiniteError):
            # Optuna takes a pruned trial without a value for the worst: the search moves away.
            self._claim.trial.set_user_attr(OUTCOME, DIVERGED)
            self._claim.trial.set_user_attr(ERROR, line)
            self._told(TrialState.PRUNED, None, f"diverged: {error}")
            return 0
        self._write_traceback(error)
        final = isinstance(error, UsageError)
        self._ledger.fail(self._claim, line, FINAL if final else "failed")
        tried = self._claim.trial.user_attrs.get(TRY, 0) + 1
        self._sweep.announce(f"trial {index} failed, try {tried}: {line}")
        return 0

    def _write_traceback(self, error: BaseException | None) -> None:
        if error is None:
            return
        folder = self._sweep.folder / "failures"
        folder.mkdir(exist_ok=True)
        path = folder / f"{self._claim.index:04d}-{self._claim.trial.number}.txt"
        path.write_text("".join(traceback.format_exception(error)), "utf-8")


def _is_full(error: BaseException | None) -> bool:
    causes = (error, getattr(error, "__cause__", None))
    return any(isinstance(each, OSError) and each.errno in FULL for each in causes)
