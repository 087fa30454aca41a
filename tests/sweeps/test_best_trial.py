"""Checks which trial is the best, for both goals, wherever a sweep shows it."""

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from lecture_models.sweeps.charts import best_curve, parallel_chart
from lecture_models.sweeps.page import terminal
from lecture_models.sweeps.results import best_so_far, sweep_results
from lecture_models.sweeps.spec import make_spec
from lecture_models.sweeps.study import ATTEMPT, INDEX
from lecture_models.sweeps.worker import Sweep

VALUES = (2.0, 5.0, 1.0, 3.0)
PRUNED = (9.0, 0.0)  # Beyond the best of both goals; a trial that was cut short is never the best.


def results(folder, goal):
    spec = make_spec(
        {
            "method": "random",
            "metric": {"name": "eval/score", "goal": goal},
            "parameters": {"x": {"min": 0.0, "max": 9.0}},
        },
        "sweep",
    )
    study = optuna.create_study(direction=goal)
    states = [TrialState.COMPLETE] * len(VALUES) + [TrialState.PRUNED] * len(PRUNED)
    for index, (value, state) in enumerate(zip(VALUES + PRUNED, states, strict=True)):
        study.add_trial(
            create_trial(
                state=state,
                value=value,
                params={"x": value},
                distributions={"x": optuna.distributions.FloatDistribution(0.0, 9.0)},
                user_attrs={INDEX: index, ATTEMPT: 0},
            )
        )
    return sweep_results(Sweep(folder, "sweep", spec, [], print), study)


@pytest.mark.parametrize(
    ("goal", "best", "phrase", "stairs", "ranks"),
    [
        ("minimize", 2, "the lowest", [2.0, 2.0, 1.0, 1.0], [2, 0, 3, 1]),
        ("maximize", 1, "the highest", [2.0, 5.0, 5.0, 5.0], [1, 3, 0, 2]),
    ],
)
def test_the_best_trial_is_that_of_the_goal_in_the_table_and_in_every_chart(
    tmp_path, goal, best, phrase, stairs, ranks
):
    found = results(tmp_path, goal)
    assert found.best.index == best
    assert best_so_far(found.rows, goal) == list(enumerate(stairs))
    text = terminal(found, "launch.py")
    assert f"best: trial {best}, eval/score" in text
    assert f"({phrase})" in text
    table = [line for line in text.splitlines() if line.startswith("|")][2:]
    listed = [int(line.split("|")[1]) for line in table]
    best_first = sorted(VALUES, reverse=goal == "maximize")
    assert [VALUES[index] for index in listed[: len(VALUES)]] == best_first
    assert listed[len(VALUES) :] == [4, 5]  # Trials that were cut short.
    spec, rows = found.sweep.spec, found.rows
    points = best_curve(rows, spec).data["series"][-1]["points"]
    assert points[1::2] == stairs
    drawn = parallel_chart(rows, spec).data["ranks"]
    assert drawn[: len(VALUES)] == [rank + len(PRUNED) for rank in ranks]
    assert max(drawn[len(VALUES) :]) < len(PRUNED)
