"""The lines of sweeps and seeds: the best trial, the spread, and files with fewer keys."""

import json

from lecture_models.reports.index_folders import find_folders
from lecture_models.reports.index_groups import read_seeds, read_sweep
from lecture_models.reports.index_run import read_indexed_run
from tests.past import write_past_run

SPEC = {"method": "bayes", "metric": {"name": "loss", "goal": "minimize"}}


def write_sweep(folder, losses, **record):
    for index, (loss, status) in enumerate(losses):
        write_past_run(folder / "trials" / f"{index:04d}", {"eval/loss": loss}, status)
    content = {"name": "lr", "experiment": "linear_ae_mnist", "spec": SPEC} | record
    (folder / "sweep.json").write_text(json.dumps(content))
    return [read_indexed_run(each, 10_000) for each in find_folders(folder).runs]


def test_the_best_of_a_sweep_is_a_finished_trial_by_its_goal(tmp_path):
    losses = [(3.0, "finished"), (2.0, "finished"), (1.0, "failed"), ("NaN", "finished")]
    runs = write_sweep(tmp_path / "a", losses)
    found = read_sweep(tmp_path / "a", runs)
    assert found.results == ("eval/loss 2 (0001)",)
    assert found.state == "4 trials: 3 finished, 1 failed"
    largest = {"method": "grid", "metric": {"name": "eval/loss", "goal": "maximize"}}
    (tmp_path / "a" / "sweep.json").write_text(json.dumps({"spec": largest}))
    assert read_sweep(tmp_path / "a", runs).results == ("eval/loss 3 (0000)",)


def test_a_sweep_names_the_parameters_that_vary_and_its_goal(tmp_path):
    parameters = {
        "learning_rate": {"min": 0.1, "max": 1.0},
        "tanh": {"values": [True, False]},
        "width": {"values": [3]},
        "experiment": {"value": "linear_ae_mnist"},
        "depth": {"distribution": "constant", "value": 2},
    }
    runs = write_sweep(tmp_path, [(3.0, "finished")], spec=SPEC | {"parameters": parameters})
    found = read_sweep(tmp_path, runs)
    assert found.parameters == ("learning_rate", "tanh")
    assert found.best == ("eval/loss", "minimize")


def test_the_best_trial_has_the_digits_that_tell_it_from_the_others(tmp_path):
    runs = write_sweep(tmp_path, [(32.2612, "finished"), (32.2611, "finished")])
    assert read_sweep(tmp_path, runs).results == ("eval/loss 32.2611 (0001)",)


def test_runs_of_a_sweep_with_a_longer_name_are_not_its_trials(tmp_path):
    runs = write_sweep(tmp_path / "a", [(3.0, "finished")])
    others = write_sweep(tmp_path / "ab", [(1.0, "finished")])
    assert read_sweep(tmp_path / "a", [*runs, *others]).results == ("eval/loss 3 (0000)",)


def test_a_sweep_that_says_little_is_listed_and_a_damaged_one_is_not(tmp_path):
    (tmp_path / "sweep.json").write_text('{"spec": [1], "name": 7}')
    found = read_sweep(tmp_path, [])
    assert (found.name, found.state, found.results) == ("7", "0 trials", ())
    (tmp_path / "sweep.json").write_text("{")
    assert read_sweep(tmp_path, []) is None


def test_seeds_show_mean_spread_and_n(tmp_path):
    write_past_run(tmp_path / "seed_0000")
    metrics = {"loss": {"mean": 1.5, "std": 0.25, "n": 3}, "odd": {"mean": None}, "worse": 4}
    content = {"experiment": "linear_ae_mnist", "preset": "paper", "metrics": metrics}
    (tmp_path / "seeds.json").write_text(json.dumps(content))
    found = read_seeds(tmp_path, [read_indexed_run(tmp_path / "seed_0000", 10_000)])
    assert found.results == ("loss 1.500 ± 0.250 (n = 3)", "odd -", "worse -")
    assert found.state == "1 seed: 1 finished"
    assert found.started == "2026-01-01T00:00:00+00:00"


def test_folders_are_found_in_any_depth_and_links_entered_once(tmp_path):
    write_past_run(tmp_path / "a" / "b" / "run")
    (tmp_path / "a" / "table.html").write_text("<title>A table</title>")
    (tmp_path / "a" / "report.html").write_text("")
    (tmp_path / "a" / "b" / "run" / "report.html").write_text("")
    write_past_run(tmp_path / ".hidden" / "run")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    found = find_folders(tmp_path)
    assert found.runs == [tmp_path / "a" / "b" / "run"]
    assert found.pages == [tmp_path / "a" / "table.html"]
