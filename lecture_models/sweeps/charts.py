"""Describes the charts of a sweep as plain data: progress, slices, parallel axes, importance."""

from collections.abc import Sequence
from typing import Any

from lecture_models.reports.charts import Chart
from lecture_models.sweeps.results import TrialRow, best_so_far
from lecture_models.sweeps.spec import SweepSpec

ELSEWHERE = "All values are in the table of trials below."


def best_curve(trials: Sequence[TrialRow], spec: SweepSpec) -> Chart:
    """Describes the best value so far as stairs, over the value of every finished trial."""
    best = best_so_far(list(trials), spec.goal)
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
                    "points": [part for trial in trials for part in (trial.index, trial.value)],
                },
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
    """Describes the metric over one parameter, a point for each finished trial."""
    return Chart(
        title=parameter,
        note="",
        data={
            "kind": "scatter",
            "label": f"{spec.metric} over {parameter}",
            "x": _axis(trials, spec, parameter),
            "y": _metric_axis(trials, spec),
            "labels": _labels(trials),
        },
        elsewhere=ELSEWHERE,
    )


def parallel_chart(trials: Sequence[TrialRow], spec: SweepSpec) -> Chart:
    """Describes every finished trial as a line across all parameters to the metric."""
    order = sorted(
        range(len(trials)), key=lambda at: trials[at].value, reverse=spec.goal == "minimize"
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
    return {
        "name": parameter,
        "values": [_plain(trial.values[parameter]) for trial in trials],
        "log": spec.parameters[parameter].log,
    }


def _metric_axis(trials: Sequence[TrialRow], spec: SweepSpec) -> dict[str, Any]:
    return {"name": spec.metric, "values": [trial.value for trial in trials], "log": False}


def _labels(trials: Sequence[TrialRow]) -> list[str]:
    return [f"trial {trial.index}" for trial in trials]


def _plain(value: Any) -> int | float | str:
    """Returns a number as it is; a choice as text, also where it is True or False."""
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return value if numeric else str(value)
