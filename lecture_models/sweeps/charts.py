"""Describes the charts of a sweep as plain data: progress, slices, parallel axes, importance.

They show finished trials. Trials that were pruned or diverged are shown at their last value, and
marked.
"""

import math
from collections.abc import Sequence
from typing import Any

from lecture_models.reports.charts import Chart, finite
from lecture_models.sweeps.results import CUT_SHORT, TrialRow, best_so_far
from lecture_models.sweeps.spec import SweepSpec

ELSEWHERE = "All values are in the table of trials below."


def charted(trials: Sequence[TrialRow]) -> list[TrialRow]:
    """Returns the trials that a chart can show: those that have ended with a value."""
    ended = ("finished", *CUT_SHORT)
    return [trial for trial in trials if trial.state in ended and finite(trial.value) is not None]


def best_curve(trials: Sequence[TrialRow], spec: SweepSpec) -> Chart:
    """Describes the best value so far as stairs, over the value of every trial."""
    best = best_so_far(list(trials), spec.goal)
    finished = [trial for trial in trials if not trial.note]
    return Chart(
        title="best so far, over trials",
        note="",
        data={
            "kind": "lines",
            "label": f"{spec.metric} over trials, and the best so far",
            "x": "trial",
            "series": [
                {
                    "name": spec.metric,
                    "look": "train",
                    "style": "points",
                    "points": _points(finished),
                },
                *(
                    {
                        "name": f"{state}, last {spec.metric}",
                        "look": "train cut",
                        "style": "points",
                        "points": _points([trial for trial in trials if trial.state == state]),
                    }
                    for state in CUT_SHORT
                    if any(trial.state == state for trial in trials)
                ),
                {
                    "name": "best so far",
                    "look": "eval",
                    "style": "stairs",
                    "points": [part for point in best for part in point],
                },
            ],
        },
        elsewhere=ELSEWHERE,
    )


def slice_chart(trials: Sequence[TrialRow], spec: SweepSpec, parameter: str) -> Chart:
    """Describes the metric over one parameter, a point for each trial."""
    return Chart(
        title=parameter,
        note="",
        data={
            "kind": "scatter",
            "label": f"{spec.metric} over {parameter}",
            "x": _axis(trials, spec, parameter),
            "y": _metric_axis(trials, spec),
            "labels": _labels(trials),
            "cut": [bool(trial.note) for trial in trials],
        },
        elsewhere=ELSEWHERE,
    )


def parallel_chart(trials: Sequence[TrialRow], spec: SweepSpec) -> Chart:
    """Describes every trial as a line across all parameters to the metric."""
    sign = -1 if spec.goal == "minimize" else 1
    # A trial that was cut short does not compare with those that trained to their end.
    order = sorted(
        range(len(trials)), key=lambda at: (not trials[at].note, sign * trials[at].value)
    )
    ranks = {at: rank for rank, at in enumerate(order)}
    return Chart(
        title="a line for each trial, the best one in another color",
        note="",
        data={
            "kind": "parallel",
            "label": f"parallel coordinates of {len(trials)} trials",
            "axes": [
                *(_axis(trials, spec, parameter) for parameter in spec.parameters),
                _metric_axis(trials, spec),
            ],
            "ranks": [ranks[at] for at in range(len(trials))],
            "labels": _labels(trials),
            "cut": [bool(trial.note) for trial in trials],
        },
        elsewhere=ELSEWHERE,
    )


def importance_chart(importance: dict[str, float], metric: str) -> Chart:
    """Describes the share of the metric's variance that each parameter explains, as bars."""
    return Chart(
        title="importance of each parameter",
        note="",
        data={
            "kind": "bars",
            "label": f"importance of {len(importance)} parameters for {metric}",
            "bars": list(importance.items()),
        },
        columns=("parameter", "importance"),
        rows=[(name, f"{share:.2f}") for name, share in importance.items()],
    )


def _axis(trials: Sequence[TrialRow], spec: SweepSpec, parameter: str) -> dict[str, Any]:
    values = [trial.values[parameter] for trial in trials]
    numbers = [_number(value) for value in values]
    are_numbers = None not in numbers
    return {
        "name": parameter,
        "values": numbers if are_numbers else [str(value) for value in values],
        "log": spec.parameters[parameter].log,
        "whole": are_numbers and all(isinstance(value, int) for value in numbers),
    }


def _metric_axis(trials: Sequence[TrialRow], spec: SweepSpec) -> dict[str, Any]:
    return {"name": spec.metric, "values": [trial.value for trial in trials], "log": False}


def _points(trials: Sequence[TrialRow]) -> list[int | float]:
    return [part for trial in trials for part in (trial.index, trial.value)]


def _labels(trials: Sequence[TrialRow]) -> list[str]:
    return [f"trial {trial.index}" + (f", {trial.note}" if trial.note else "") for trial in trials]


def _number(value: Any) -> int | float | None:
    """Returns a number, also where it is written as a text; None for another choice."""
    if isinstance(value, bool):
        return None
    if not isinstance(value, str):
        return value
    for read in (int, float):
        try:
            number = read(value)
        except ValueError:
            continue
        return number if math.isfinite(number) else None
    return None
