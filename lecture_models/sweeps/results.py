"""What a sweep came to: a row for each trial, the best one, what each parameter mattered."""

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
    Entry,
    entries,
)
from lecture_models.sweeps.worker import Sweep

LEAST_FOR_IMPORTANCE = 8  # Finished trials: fewer say nothing about what matters.
STATES = ("finished", "pruned", "diverged", "failed", "interrupted", "running", "waiting")


class Row(NamedTuple):
    """One trial; `value` is the metric's last, also of one that was pruned."""

    index: int
    state: str
    value: float | None
    values: dict[str, Any]
    folder: Path
    tries: int
    seconds: float | None
    step: int | None
    error: str
    arguments: list[str]


class Results(NamedTuple):
    """`importance` is empty where there are too few trials, or all came out the same."""

    sweep: Sweep
    rows: list[Row]
    best: Row | None
    importance: dict[str, float]

    @property
    def counts(self) -> dict[str, int]:
        found = [row.state for row in self.rows]
        return {state: found.count(state) for state in STATES if state in found}


def rows_of(sweep: Sweep, study: optuna.Study) -> list[Row]:
    return [_row(sweep, entry) for entry in entries(study.get_trials(deepcopy=False)).values()]


def results(sweep: Sweep, study: optuna.Study) -> Results:
    rows = rows_of(sweep, study)
    finished = [row for row in rows if row.state == "finished"]
    choose = min if sweep.spec.goal == "minimize" else max
    best = choose(finished, key=lambda row: row.value, default=None)
    return Results(sweep, rows, best, _importance(sweep, study, finished))


def best_so_far(rows: list[Row], goal: str) -> list[tuple[int, float]]:
    """After each finished trial, by its index."""
    choose = min if goal == "minimize" else max
    points: list[tuple[int, float]] = []
    for row in rows:
        if row.state == "finished":
            points.append((row.index, choose([row.value, *(value for _, value in points[-1:])])))
    return points


def _row(sweep: Sweep, entry: Entry) -> Row:
    last = entry.last
    arguments = sweep.arguments(last.params) if last.params else []
    return Row(
        index=entry.index,
        state=_state(last),
        value=last.value if last.state in (TrialState.COMPLETE, TrialState.PRUNED) else None,
        values=sweep.spec.values(last.params),
        folder=sweep.trial_folder(entry.index),
        tries=len(entry.tries),
        seconds=last.user_attrs.get("seconds"),
        step=last.user_attrs.get("step"),
        error=_error(entry),
        arguments=arguments,
    )


def _state(trial: optuna.trial.FrozenTrial) -> str:
    outcome = trial.user_attrs.get(OUTCOME)
    if outcome in (DIVERGED, INTERRUPTED) and trial.state.is_finished():
        return outcome
    names = {TrialState.COMPLETE: "finished", TrialState.FAIL: "failed"}
    return names.get(trial.state, trial.state.name.lower())


def _error(entry: Entry) -> str:
    """Of the last try that has one; a worker that was killed could not say a thing."""
    lines = [
        each.user_attrs.get(ERROR, "killed, or its machine died")
        for each in entry.tries
        if each.state == TrialState.FAIL or ERROR in each.user_attrs
    ]
    return lines[-1] if lines else ""


def _importance(sweep: Sweep, study: optuna.Study, finished: list[Row]) -> dict[str, float]:
    names = list(sweep.spec.parameters)
    values = [row.value for row in finished]
    if len(values) < LEAST_FOR_IMPORTANCE or len(names) < 2 or statistics.pstdev(values) == 0:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    return optuna.importance.get_param_importances(study, evaluator=evaluator, params=names)
