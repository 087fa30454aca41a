"""Summarizes a sweep: one row per trial, the best trial, the importance of each parameter."""

import statistics
from pathlib import Path
from typing import Any, NamedTuple

import optuna
from optuna.trial import TrialState

from lecture_models.sweeps.study import (
    DIVERGED,
    ERROR,
    INTERRUPTED,
    OUTCOME,
    TrialAttempts,
    attempts_by_index,
)
from lecture_models.sweeps.worker import Sweep

LEAST_FOR_IMPORTANCE = 8  # Finished trials; an estimate from fewer says nothing.
STATES = ("finished", "pruned", "diverged", "failed", "interrupted", "running", "waiting")
CUT_SHORT = ("pruned", "diverged")  # Ended with the value of an earlier step.


class TrialRow(NamedTuple):
    """Describes one trial.

    Attributes:
        index: number of the trial in the sweep, from 0.
        state: one of STATES.
        value: the metric's last value, also of a pruned trial; None if there is none.
        values: the Config's fields by name.
        folder: folder of the trial's run.
        attempts: how often the trial was started.
        seconds: duration of the last attempt; None if it has not ended.
        step: last training step; None if the trial has not ended.
        error: error of the last failed attempt; "" if none failed.
        arguments: command-line arguments that repeat the trial.
    """

    index: int
    state: str
    value: float | None
    values: dict[str, Any]
    folder: Path
    attempts: int
    seconds: float | None
    step: int | None
    error: str
    arguments: list[str]

    @property
    def note(self) -> str:
        """Returns how a trial ended that did not train to its end; "" for the others."""
        if self.state not in CUT_SHORT:
            return ""
        return self.state if self.step is None else f"{self.state} at step {self.step:,}"


class SweepResults(NamedTuple):
    """Holds a sweep's rows by index, and the best finished one.

    `importance` is the share of the metric's variance that each parameter explains; it is empty if
    there are too few finished trials or all have the same value.
    """

    sweep: Sweep
    rows: list[TrialRow]
    best: TrialRow | None
    importance: dict[str, float]

    @property
    def counts(self) -> dict[str, int]:
        """Returns the number of trials by state, for the states that occur."""
        states = [row.state for row in self.rows]
        return {state: states.count(state) for state in STATES if state in states}


def trial_rows(sweep: Sweep, study: optuna.Study) -> list[TrialRow]:
    trials = attempts_by_index(study.get_trials(deepcopy=False))
    return [_row(sweep, trial) for trial in trials.values()]


def sweep_results(sweep: Sweep, study: optuna.Study) -> SweepResults:
    rows = trial_rows(sweep, study)
    finished = [row for row in rows if row.state == "finished"]
    choose = min if sweep.spec.goal == "minimize" else max
    best = choose(finished, key=lambda row: row.value, default=None)
    return SweepResults(sweep, rows, best, _importance(sweep, study, finished))


def best_so_far(rows: list[TrialRow], goal: str) -> list[tuple[int, float]]:
    """Returns (index, best value up to this trial) for each finished trial."""
    choose = min if goal == "minimize" else max
    points: list[tuple[int, float]] = []
    for row in rows:
        if row.state == "finished":
            points.append((row.index, choose([row.value, *(value for _, value in points[-1:])])))
    return points


def _row(sweep: Sweep, trial: TrialAttempts) -> TrialRow:
    last = trial.last
    arguments = sweep.arguments(last.params) if last.params else []
    return TrialRow(
        index=trial.index,
        state=_state(last),
        value=last.value if last.state in (TrialState.COMPLETE, TrialState.PRUNED) else None,
        values=sweep.spec.values(last.params),
        folder=sweep.trial_folder(trial.index),
        attempts=len(trial.attempts),
        seconds=last.user_attrs.get("seconds"),
        step=last.user_attrs.get("step"),
        error=_last_error(trial),
        arguments=arguments,
    )


def _state(attempt: optuna.trial.FrozenTrial) -> str:
    outcome = attempt.user_attrs.get(OUTCOME)
    if outcome in (DIVERGED, INTERRUPTED) and attempt.state.is_finished():
        return outcome
    names = {TrialState.COMPLETE: "finished", TrialState.FAIL: "failed"}
    return names.get(attempt.state, attempt.state.name.lower())


def _last_error(trial: TrialAttempts) -> str:
    # A killed worker could not record an error.
    lines = [
        attempt.user_attrs.get(ERROR, "killed, or its machine died")
        for attempt in trial.attempts
        if attempt.state == TrialState.FAIL or ERROR in attempt.user_attrs
    ]
    return lines[-1] if lines else ""


def _importance(sweep: Sweep, study: optuna.Study, finished: list[TrialRow]) -> dict[str, float]:
    names = list(sweep.spec.parameters)
    values = [row.value for row in finished]
    if len(values) < LEAST_FOR_IMPORTANCE or len(names) < 2 or statistics.pstdev(values) == 0:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    try:
        return optuna.importance.get_param_importances(study, evaluator=evaluator, params=names)
    except ValueError:  # An older version of this program drew a part of the trials differently.
        return {}
