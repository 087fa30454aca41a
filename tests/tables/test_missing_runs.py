"""Checks which runs a table wants, which are missing, and what they cost."""

import dataclasses
import functools
import json
from types import ModuleType

import pytest

from lecture_models.runs.results import finished_runs
from lecture_models.tables.missing_runs import cost_lines, missing, wanted
from lecture_models.tables.table import published
from lecture_models.tables.trained_cells import TrainedCell
from tests.runs.test_results import write_run


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "mnist,digits"
    seed: int = 0
    num_steps: int = 100
    widths: tuple[int, ...] = (8,)
    log_every: int = 10


MODULE = ModuleType("toy")
vars(MODULE).update(Config=Config, PAPER={"num_steps": 1_000}, SMOKE={"dataset": "digits"})
CELL = TrainedCell(
    "error", published("1.0", "a paper"), "toy", "test_error_percent", "less", "mnist"
)


def module_of(name):
    return MODULE if name == "toy" else None


def wanted_runs(tmp_path, *cells, preset="paper"):
    return wanted(cells or (CELL,), preset, tmp_path, module_of)


def left(tmp_path, found):
    return missing(found, functools.partial(finished_runs, tmp_path), tmp_path)


def write(folder, seed, **changes):
    given = {"experiment": "toy", "num_steps": 1_000, "widths": [8], "log_every": 3} | changes
    write_run(folder, seed, 1.0, **given)
    path = folder / "config.json"
    record = json.loads(path.read_text())
    del record["config"]["batch_size"]
    path.write_text(json.dumps(record))


def test_a_cell_wants_three_seeds_of_the_papers_recipe_on_its_data(tmp_path):
    cell = CELL._replace(config=(("widths", (4, 2)),), recipe=(("num_steps", 7),))
    found = wanted_runs(tmp_path, cell)
    assert [run.seed for run in found] == [0, 1, 2]
    assert found[1].arguments == [
        "--experiment=toy",
        "--preset=paper",
        "--num_steps=7",
        "--widths=4,2",
        "--dataset=mnist",
        "--seed=1",
        f"--workdir={tmp_path}/toy/paper-num_steps=7-widths=4,2-dataset=mnist-seed=1",
    ]


def test_the_defaults_have_the_cells_network_and_their_own_data(tmp_path):
    cell = CELL._replace(config=(("widths", (4, 2)),), recipe=(("num_steps", 7),))
    assert wanted_runs(tmp_path, cell, preset="default")[0].overrides == ["--widths=4,2"]
    other = cell._replace(dataset="cifar10")
    assert "--dataset=cifar10" in wanted_runs(tmp_path, other, preset="default")[0].overrides
    assert wanted_runs(tmp_path, other, preset="smoke")[0].overrides == ["--widths=4,2"]


def test_cells_of_one_network_want_one_run_a_seed(tmp_path):
    deepest = CELL._replace(label="another", metric="error_deepest")
    assert len(wanted_runs(tmp_path, CELL, deepest)) == 3


def test_what_has_no_recipe_or_no_experiment_is_not_wanted(tmp_path):
    unknown = CELL._replace(recipe=None)
    assert wanted_runs(tmp_path, unknown, CELL._replace(experiment="elsewhere")) == []
    assert len(wanted_runs(tmp_path, unknown, preset="default")) == 3


@pytest.mark.parametrize(
    ("changes", "is_missing"),
    [
        ({}, False),
        ({"num_steps": 999}, True),
        ({"preset": "default"}, True),
        ({"note": "lossy"}, True),
        ({"dataset": "digits"}, True),
        ({"status": "interrupted"}, True),
    ],
)
def test_a_seed_is_missing_until_a_run_of_the_recipe_has_finished(changes, is_missing, tmp_path):
    write(tmp_path / "anywhere", 1, **changes)
    seeds = [run.seed for run in left(tmp_path, wanted_runs(tmp_path))]
    assert seeds == ([0, 1, 2] if is_missing else [0, 2])


def test_what_was_made_on_lesser_data_is_not_made_again(tmp_path):
    found = wanted_runs(tmp_path)
    write(found[0].folder, 0, note="lossy")
    assert [run.seed for run in left(tmp_path, found)] == [1, 2]


def test_the_cost_is_unknown_before_any_run(tmp_path):
    lines = cost_lines(wanted_runs(tmp_path), lambda name: [])
    assert lines == [
        "3 runs to make, 3,000 steps",
        "toy --preset=paper --dataset=mnist: seeds 0, 1, 2; 3,000 steps; time unknown",
    ]


def test_the_cost_comes_from_the_speed_of_earlier_runs(tmp_path):
    found = wanted_runs(tmp_path)
    write(tmp_path / "mine", 7, num_steps=10, steps_per_second=5.0)
    runs = finished_runs(tmp_path, "toy")
    assert cost_lines(found, lambda name: runs)[1].endswith(
        "10 min at the 5 steps/s of earlier runs"
    )
    write(tmp_path / "mine2", 7, num_steps=10, widths=[16], steps_per_second=50.0)
    runs = [run for run in finished_runs(tmp_path, "toy") if run.config["widths"] == [16]]
    assert cost_lines(found, lambda name: runs)[1].endswith(
        "time unknown (1 min at the 50 steps/s of other configs)"
    )


def test_steps_that_were_made_are_not_counted_again(tmp_path):
    found = wanted_runs(tmp_path)[:1]
    found[0].folder.mkdir(parents=True)
    (found[0].folder / "summary.json").write_text(
        '{"status": "interrupted", "step": 900, "metrics": {}}'
    )
    total, *_ = cost_lines(found, lambda name: [])
    assert total == "1 run to make, 100 steps, 1 of them already started"
