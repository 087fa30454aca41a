"""A paper's own cell is filled by its recipe alone; all else stands beside it."""

import dataclasses

import pytest

from experiments import lenet_mnist
from experiments.tables import _trained, lenet5
from lecture_models.runtime.table import TableContext, verdict
from tests.runtime.test_run_results import write_run

PAPER = dataclasses.asdict(lenet_mnist.Config(**lenet_mnist.PAPER))


def rows(runs_dir):
    context = TableContext(runs_dir, None, None, announce=print)
    return _trained.rows(lenet5.ERROR, context)


def write_paper_run(folder, seed, value, **changes):
    recipe = {name: v for name, v in PAPER.items() if name not in ("seed", "dataset")} | changes
    recipe = {name: list(v) if isinstance(v, tuple) else v for name, v in recipe.items()}
    write_run(folder, seed, value, **recipe)


def test_without_runs_it_is_not_run(tmp_path):
    (row,) = rows(tmp_path)
    assert verdict(row) == "not run"
    assert row.published.printed == "0.95 %"


def test_the_papers_recipe_over_three_seeds_fills_the_papers_cell(tmp_path):
    for seed in range(3):
        write_paper_run(tmp_path / str(seed), seed, 0.9 + 0.05 * seed)
    (row,) = rows(tmp_path)
    assert verdict(row) == "within spread"
    assert row.ours.count == 3
    assert row.ours.mean == pytest.approx(0.95)
    assert "0, 1, 2" in row.how


def test_another_cadence_of_the_log_is_the_same_recipe(tmp_path):
    for seed in range(3):
        write_paper_run(tmp_path / str(seed), seed, 0.95, log_every=7 + seed)
    (row,) = rows(tmp_path)
    assert verdict(row) == "within spread"


@pytest.mark.parametrize(
    ("changes", "seeds", "named"),
    [
        ({"preset": "default"}, 5, "preset default"),
        ({"preset": "smoke"}, 5, "preset smoke"),
        ({}, 1, "1 seed"),
        ({}, 2, "2 seeds"),
        ({"dataset": "digits"}, 5, "data digits (original files)"),
        ({"note": "JPEG, lossy"}, 5, "JPEG, lossy"),
        ({"num_steps": 10}, 5, "--num_steps=10"),
    ],
)
def test_any_other_protocol_has_a_row_of_its_own(changes, seeds, named, tmp_path):
    for seed in range(seeds):
        write_paper_run(tmp_path / str(seed), seed, 0.5, **changes)
    own, other = rows(tmp_path)
    assert verdict(own) == "not run"
    assert verdict(other) == "gap"
    assert named in other.what
    assert other.ours.count == seeds


def test_both_stand_in_one_table(tmp_path):
    for seed in range(3):
        write_paper_run(tmp_path / f"p{seed}", seed, 0.95)
        write_paper_run(tmp_path / f"d{seed}", seed, 2.0, preset="default")
    assert [verdict(row) for row in rows(tmp_path)] == ["within spread", "gap"]


def test_an_experiment_that_is_not_in_the_house_is_not_run(tmp_path):
    cell = lenet5.ERROR._replace(experiment="alexnet_imagenet")
    for seed in range(3):
        write_run(tmp_path / str(seed), seed, 1.0, experiment="alexnet_imagenet")
    context = TableContext(tmp_path, None, None, announce=print)
    own, other = _trained.rows(cell, context)
    assert verdict(own) == "not run"
    assert "the recipe is not known here" in other.what


def test_a_config_narrows_the_runs(tmp_path):
    write_paper_run(tmp_path / "a", 0, 0.9)
    write_paper_run(tmp_path / "b", 0, 0.8, tanh=False)
    cell = lenet5.ERROR._replace(config=(("tanh", False),))
    context = TableContext(tmp_path, None, None, announce=print)
    own, other = _trained.rows(cell, context)
    assert verdict(own) == "not run"
    assert other.ours.runs == ("b",)
