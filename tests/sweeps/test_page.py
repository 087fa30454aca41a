"""The page of a sweep: its charts as data, and texts that stay texts."""

import math

import pytest

from lecture_models.sweeps.page import terminal, write_report
from lecture_models.sweeps.results import SweepResults, TrialRow
from lecture_models.sweeps.spec import make_spec
from lecture_models.sweeps.worker import Sweep
from tests.reports.markup import ATTACKS, Elements, assert_harmless


def trial(folder, index, value, state="finished", **values):
    return TrialRow(
        index=index,
        state="failed" if value is None else state,
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


def test_trials_that_differ_little_look_different(tmp_path):
    lines = terminal(results(tmp_path, values=(32.2612, 32.2618, 32.26, None)), "launch.py")
    assert [line.split("|")[3].strip() for line in lines.splitlines()[4:8]] == [
        *("32.2600", "32.2612", "32.2618", ""),
    ]
    assert "best: trial 2, eval/loss 32.2600 (the lowest)" in lines


def with_trials(made, *more):
    return made._replace(rows=[*made.rows, *more])


def test_trials_that_were_cut_short_are_in_the_charts_and_marked(tmp_path):
    values = {"name": "sgd", "rate": 0.5, "bias": True}
    made = with_trials(
        results(tmp_path),
        trial(tmp_path, 4, 0.5, state="pruned", **values),
        trial(tmp_path, 5, 9.0, state="diverged", **values)._replace(step=None),
        trial(tmp_path, 6, math.inf, state="pruned", **values),  # Cannot be drawn.
        trial(tmp_path, 7, 1.0, state="running", **values),
    )
    page = Elements(write_report(made, "launch.py", "python launch.py").read_text())
    progress, name, _, _, parallel, _ = page.data
    series = {one["name"]: one["points"] for one in progress["series"]}
    assert series["eval/loss"] == [0, 3.0, 1, 1.0, 2, 2.0]
    assert series["best so far"] == [0, 3.0, 1, 1.0, 2, 1.0]  # A pruned trial is never the best.
    assert series["pruned, last eval/loss"] == [4, 0.5]
    assert series["diverged, last eval/loss"] == [5, 9.0]
    assert name["y"]["values"] == [3.0, 1.0, 2.0, 0.5, 9.0]
    assert name["cut"] == parallel["cut"] == [False, False, False, True, True]
    assert parallel["labels"][3:] == ["trial 4, pruned at step 10", "trial 5, diverged"]
    assert parallel["ranks"] == [2, 4, 3, 1, 0]  # Those that were cut short are below all others.


def test_texts_that_are_numbers_are_drawn_as_numbers_and_integers_have_whole_marks(tmp_path):
    made = results(tmp_path)
    changed = [
        row._replace(values={"name": text, "rate": index, "bias": True})
        for index, (row, text) in enumerate(
            zip(made.rows, ("5e-3", "0.0125", "1e-3", "2"), strict=True)
        )
    ]
    page = write_report(made._replace(rows=changed), "launch.py", "python launch.py").read_text()
    _, name, rate, bias, *_ = Elements(page).data
    assert name["x"]["values"] == [0.005, 0.0125, 0.001]
    assert rate["x"]["values"] == [0, 1, 2]
    assert (name["x"]["whole"], rate["x"]["whole"], bias["x"]["whole"]) == (False, True, False)
    assert bias["x"]["values"] == ["True"] * 3
