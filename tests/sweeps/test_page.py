"""The page of a sweep: its charts as data, and texts that stay texts."""

import pytest

from lecture_models.sweeps.page import terminal, write_report
from lecture_models.sweeps.results import SweepResults, TrialRow
from lecture_models.sweeps.spec import make_spec
from lecture_models.sweeps.worker import Sweep
from tests.reports.markup import ATTACKS, Elements, assert_harmless


def trial(folder, index, value, **values):
    return TrialRow(
        index=index,
        state="failed" if value is None else "finished",
        value=value,
        values=values,
        folder=folder / str(index),
        attempts=1,
        seconds=2.5,
        step=10,
        error="" if value is not None else str(values["name"]),
        arguments=[f"--{name}={choice}" for name, choice in values.items()],
    )


def results(folder, text="adam", values=(3.0, 1.0, 2.0, None)):
    spec = make_spec(
        {
            "method": "random",
            "metric": {"name": "eval/loss", "goal": "minimize"},
            "parameters": {
                "name": {"values": [text, "sgd"]},
                "rate": {"distribution": "log_uniform_values", "min": 0.001, "max": 1.0},
                "bias": {"values": [True, False]},
            },
        },
        text,
    )
    trials = [
        trial(folder, index, value, name=text, rate=0.1 / (index + 1), bias=index % 2 == 0)
        for index, value in enumerate(values)
    ]
    finished = [row for row in trials if row.value is not None]
    best = min(finished, key=lambda row: row.value, default=None)
    sweep = Sweep(folder, text, spec, [], print)
    return SweepResults(sweep, trials, best, {text: 0.75, "rate": 0.25} if best else {})


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_of_a_sweep_becomes_markup(tmp_path, attack):
    path = write_report(results(tmp_path, attack), attack, attack)
    assert_harmless(path.read_text(), attack)
    path = write_report(results(tmp_path, attack, [None]), attack, attack)
    assert_harmless(path.read_text(), attack)
    assert "No trial has finished" in path.read_text()


def test_the_charts_have_the_values_of_the_finished_trials(tmp_path):
    page = write_report(results(tmp_path), "launch.py", "python launch.py").read_text()
    progress, name, rate, bias, parallel, importance = Elements(page).data
    points, best = (series["points"] for series in progress["series"])
    assert points == [0, 3.0, 1, 1.0, 2, 2.0]
    assert best == [0, 3.0, 1, 1.0, 2, 1.0]
    assert name["x"]["values"] == ["adam"] * 3
    assert (rate["x"]["log"], bias["x"]["log"]) == (True, False)
    assert bias["x"]["values"] == ["True", "False", "True"]
    assert rate["y"]["values"] == [3.0, 1.0, 2.0]
    assert [axis["name"] for axis in parallel["axes"]] == ["name", "rate", "bias", "eval/loss"]
    assert parallel["ranks"] == [0, 2, 1]  # The last is the best.
    assert importance["bars"] == [["adam", 0.75], ["rate", 0.25]]


def test_the_best_trial_is_first_on_the_terminal_and_failures_are_last(tmp_path):
    lines = terminal(results(tmp_path), "launch.py").splitlines()
    assert lines[0] == "4 trials: 3 finished, 1 failed"
    assert [line.split("|")[1].strip() for line in lines[4:8]] == ["1", "2", "0", "3"]
    assert "best: trial 1, eval/loss 1 (the lowest)" in lines
