"""Fills a paper's own cell with its recipe only; all other runs have rows of their own."""

import dataclasses
import json

import pytest

from experiments import lenet_mnist
from experiments.tables import lenet5
from lecture_models.tables import trained_rows
from lecture_models.tables.table import TableContext, verdict
from tests.runs.test_results import write_run

PAPER = dataclasses.asdict(lenet_mnist.Config(**lenet_mnist.PAPER))


def rows(runs_dir):
    context = TableContext(runs_dir, None, None, announce=print)
    return trained_rows.rows(lenet5.ERROR, context)


def write_paper_run(folder, seed, value, **changes):
    recipe = {name: v for name, v in PAPER.items() if name not in ("seed", "dataset")} | changes
    recipe = {name: list(v) if isinstance(v, tuple) else v for name, v in recipe.items()}
    write_run(folder, seed, value, **recipe)


@pytest.fixture(autouse=True)
def exact_preset(monkeypatch):
    """Treats the preset as the paper's recipe in every point."""
    monkeypatch.setattr(lenet_mnist, "PAPER_DEPARTURES", ())


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


def test_a_preset_that_departs_from_the_paper_never_fills_its_cell(tmp_path, monkeypatch):
    monkeypatch.setattr(lenet_mnist, "PAPER_DEPARTURES", (("second order", "first order"),))
    for seed in range(3):
        write_paper_run(tmp_path / str(seed), seed, 0.95)
    empty, other = rows(tmp_path)
    phrase = "departs from the published recipe in 1 point (see its page)"
    assert verdict(empty) == "not run"
    assert empty.how == f"lenet_mnist --preset=paper {phrase}"
    assert verdict(other) == "gap"
    assert other.label == f"test error, MNIST, %: preset paper, which {phrase}"


def test_another_cadence_is_the_same_recipe(tmp_path):
    for seed in range(3):
        write_paper_run(tmp_path / str(seed), seed, 0.95, log_every=7 + seed, eval_every=90 + seed)
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
        ({"note": "exact pixels, a subset: 10 of 20"}, 5, "exact pixels, a subset: 10 of 20"),
        ({"train_images": 2_000}, 5, "--train_images=2000"),
        ({"num_steps": 10}, 5, "--num_steps=10"),
    ],
)
def test_any_other_protocol_has_a_row_of_its_own(changes, seeds, named, tmp_path):
    for seed in range(seeds):
        write_paper_run(tmp_path / str(seed), seed, 0.5, **changes)
    own, other = rows(tmp_path)
    assert verdict(own) == "not run"
    assert verdict(other) == "gap"
    assert named in other.label
    assert other.ours.count == seeds


def test_the_recipe_and_another_protocol_have_a_row_each(tmp_path):
    for seed in range(3):
        write_paper_run(tmp_path / f"p{seed}", seed, 0.95)
        write_paper_run(tmp_path / f"d{seed}", seed, 2.0, preset="default")
    assert [verdict(row) for row in rows(tmp_path)] == ["within spread", "gap"]


def test_an_experiment_that_does_not_exist_is_not_run(tmp_path):
    cell = lenet5.ERROR._replace(experiment="alexnet_imagenet")
    for seed in range(3):
        write_run(tmp_path / str(seed), seed, 1.0, experiment="alexnet_imagenet")
    context = TableContext(tmp_path, None, None, announce=print)
    own, other = trained_rows.rows(cell, context)
    assert verdict(own) == "not run"
    assert "the recipe is not known here" in other.label


def test_a_config_narrows_the_runs(tmp_path):
    write_paper_run(tmp_path / "a", 0, 0.9)
    write_paper_run(tmp_path / "b", 0, 0.8, tanh=False)
    cell = lenet5.ERROR._replace(config=(("tanh", False),))
    context = TableContext(tmp_path, None, None, announce=print)
    own, other = trained_rows.rows(cell, context)
    assert verdict(own) == "not run"
    assert other.ours.runs == ("b",)


def cell_rows(cell, runs_dir):
    return trained_rows.rows(cell, TableContext(runs_dir, None, None, announce=print))


def test_the_recipe_may_have_more_than_the_preset(tmp_path):
    cell = lenet5.ERROR._replace(recipe=(("num_steps", 7),))
    for seed in range(3):
        write_paper_run(tmp_path / str(seed), seed, 0.95, num_steps=7)
        write_paper_run(tmp_path / f"preset-{seed}", seed, 0.95)
    own, other = cell_rows(cell, tmp_path)
    assert verdict(own) == "within spread"
    assert f"--num_steps={PAPER['num_steps']}" in other.label


def test_what_a_cell_does_not_accept_is_another_cells(tmp_path):
    write_paper_run(tmp_path / "a", 0, 0.9)
    (row,) = cell_rows(lenet5.ERROR._replace(accepts=lambda config: False), tmp_path)
    assert verdict(row) == "not run"


def test_the_label_of_a_reduced_run_names_what_it_changed(tmp_path):
    defaults = dataclasses.asdict(lenet_mnist.Config())
    for seed in range(3):
        changes = {"preset": "default", "seed": seed, "num_steps": 10}
        recipe = defaults | changes
        recipe = {name: v for name, v in recipe.items() if name not in ("seed", "dataset")}
        write_run(tmp_path / str(seed), seed, 3.0, **recipe)
    _, other = rows(tmp_path)
    assert other.label.endswith(": preset default, --num_steps=10")


def test_without_a_published_value_what_was_run_is_shown_alone(tmp_path):
    cell = lenet5.ERROR._replace(published=None)
    (row,) = cell_rows(cell, tmp_path)
    assert verdict(row) == "not run"
    write_paper_run(tmp_path / "a", 0, 0.9, preset="default")
    write_paper_run(tmp_path / "other", 1, 0.9, dataset="fashion_mnist")
    write_paper_run(tmp_path / "fallback", 2, 0.9, dataset="digits", note="fallback: no mnist")
    shown = cell_rows(cell, tmp_path)
    assert [verdict(row) for row in shown] == ["ours only", "ours only"]
    assert ["fallback: no mnist" in row.label for row in shown] == [False, True]


def test_a_recipe_that_is_not_known_is_never_filled(tmp_path):
    for seed in range(3):
        write_paper_run(tmp_path / str(seed), seed, 0.95)
    own, other = cell_rows(lenet5.ERROR._replace(recipe=None), tmp_path)
    assert verdict(own) == "not run"
    assert "the recipe is not known here" in other.label


def test_one_data_set_is_one_measurement_however_it_was_asked_for(tmp_path):
    for seed in range(3):
        folder = tmp_path / str(seed)
        write_paper_run(folder, seed, 0.95)
        record = json.loads((folder / "config.json").read_text())
        record["config"]["dataset"] = ("mnist", "mnist,digits")[seed % 2]
        (folder / "config.json").write_text(json.dumps(record))
    (row,) = rows(tmp_path)
    assert row.ours.count == 3


def test_a_record_from_before_a_field_was_there_is_no_recipe_that_sets_it(tmp_path, monkeypatch):
    monkeypatch.setitem(lenet_mnist.PAPER, "num_steps", PAPER["num_steps"] + 1)
    for seed in range(3):
        write_paper_run(tmp_path / str(seed), seed, 0.95)
        record = json.loads((tmp_path / str(seed) / "config.json").read_text())
        del record["config"]["num_steps"]
        (tmp_path / str(seed) / "config.json").write_text(json.dumps(record))
    own, other = rows(tmp_path)
    assert verdict(own) == "not run"
    assert "no --num_steps yet" in other.label
