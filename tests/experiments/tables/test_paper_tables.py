"""Fills trained tables from made-up run folders."""

import importlib
import json

import pytest

from experiments.tables import (
    autoencoder_vs_pca,
    encoder_finetune,
    fractalnet_table1,
    stochastic_depth_table1,
    stochastic_depth_table2,
)
from lecture_models.config import as_json_values
from lecture_models.tables import cifar_cells
from lecture_models.tables.table import TableContext, difference, verdict
from lecture_models.tables.trained_cells import cell_config
from tests.runs.test_results import write_run

ERROR = "test_error_percent"


@pytest.fixture(autouse=True)
def exact_presets(monkeypatch):
    """Treats the presets as the papers' recipes in every point."""
    for name in ("fractalnet_cifar10", "resnet_cifar10"):
        monkeypatch.setattr(importlib.import_module(f"experiments.{name}"), "PAPER_DEPARTURES", ())


def built(module, runs_dir):
    return module.build(TableContext(runs_dir, None, None, announce=print)).rows


def row_of(rows, label):
    (row,) = (row for row in rows if row.label == label)
    return row


def write_cell_run(folder, cell, seed, value, preset=None, **changes):
    """Writes a run as `--table --run` would make it, apart from the changes."""
    module = importlib.import_module(f"experiments.{cell.experiment}")
    preset = preset or cell.preset
    config = as_json_values(cell_config(cell, module, preset))
    given = {"dataset": cell.dataset, "metric": cell.metric, "preset": preset} | changes
    for name in ("seed", "dataset"):
        del config[name]
    write_run(folder, seed, value, experiment=cell.experiment, **config | given)
    if "batch_size" not in config:  # write_run adds it to every config.
        path = folder / "config.json"
        record = json.loads(path.read_text())
        del record["config"]["batch_size"]
        path.write_text(json.dumps(record))


def test_fractalnets_table_is_whole():
    grid = fractalnet_table1.GRID
    assert len(grid.printed) == 20
    assert sum(len(grid.values(method)) for method in grid.printed) == 73
    assert grid.values("FractalNet+dropout/drop-path") == {
        "C100": "28.20",
        "C100+": "23.73",
        "C100++": "23.36",
        "C10": "7.33",
        "C10+": "4.60",
        "C10++": "4.59",
        "SVHN": "1.87",
    }


def test_the_tables_print_different_figures_of_one_network_and_say_so():
    ours = fractalnet_table1.GRID.values("ResNet, stochastic depth")["C10+"]
    theirs = stochastic_depth_table1.GRID.values(stochastic_depth_table1.STOCHASTIC)["CIFAR10+"]
    assert (ours, theirs) == ("5.23", "5.25")
    assert ours in stochastic_depth_table1.E3
    assert theirs in fractalnet_table1.E3


def test_the_paper_s_network_fills_its_row_and_no_other(tmp_path):
    cell = fractalnet_table1.GRID.cell("FractalNet+dropout/drop-path", "C10+")
    for seed in range(3):
        write_cell_run(tmp_path / str(seed), cell, seed, 4.6 + 0.1 * seed)
    rows = built(fractalnet_table1, tmp_path)
    filled = [row.label for row in rows if row.ours is not None]
    assert filled == ["FractalNet+dropout/drop-path, C10+"]
    assert verdict(row_of(rows, filled[0])) == "within spread"


def test_networks_with_and_without_drop_path_stand_apart(tmp_path):
    dropping = cifar_cells.drop_path("a", None, augment=False)
    plain_net = cifar_cells.fractalnet("b", None, augment=False)
    write_cell_run(tmp_path / "a", dropping, 0, 40.0, preset="default")
    write_cell_run(tmp_path / "local", dropping, 0, 45.0, preset="default", global_ratio=0.0)
    write_cell_run(tmp_path / "b", plain_net, 0, 50.0, preset="default")
    rows = built(fractalnet_table1, tmp_path)
    found = {row.label.partition(":")[0]: [] for row in rows if row.ours is not None}
    for row in rows:
        if row.ours is not None:
            found[row.label.partition(":")[0]].append(row.ours.runs)
    assert found == {
        "FractalNet, C10": [("b",)],
        "FractalNet+dropout/drop-path, C10": [("a",), ("local",)],
    }


def test_runs_on_another_data_set_have_cells_of_their_own(tmp_path):
    cells = {
        column: fractalnet_table1.GRID.cell("FractalNet", column)
        for column in ("C10", "C100", "SVHN")
    }
    write_cell_run(tmp_path / "ten", cells["C10"], 0, 10.0)
    write_cell_run(tmp_path / "hundred", cells["C100"], 0, 35.0)
    write_cell_run(tmp_path / "houses", cells["SVHN"], 0, 2.0)
    found = {
        row.label.partition(":")[0]: row.ours.runs
        for row in built(fractalnet_table1, tmp_path)
        if row.ours is not None
    }
    assert found == {
        "FractalNet, C10": ("ten",),
        "FractalNet, C100": ("hundred",),
        "FractalNet, SVHN": ("houses",),
    }


@pytest.mark.parametrize(
    ("changes", "seeds"),
    [
        ({"note": "JPEG, lossy: about 30.5 dB"}, 3),
        ({"note": "exact pixels, a subset: 8,068 of 50,000 training images"}, 3),
        ({"dataset": "digits", "note": "fallback: no cifar10"}, 3),
        ({}, 1),
        ({"num_steps": 600}, 3),
        ({"width": 8}, 3),
    ],
)
def test_what_falls_short_of_the_recipe_stands_beside_the_cell(changes, seeds, tmp_path):
    cell = stochastic_depth_table1.GRID.cell(stochastic_depth_table1.STOCHASTIC, "CIFAR10+")
    for seed in range(seeds):
        write_cell_run(tmp_path / str(seed), cell, seed, 5.25, **changes)
    rows = built(stochastic_depth_table1, tmp_path)
    assert verdict(row_of(rows, cell.label)) == "not run"
    (beside,) = (row for row in rows if row.ours is not None)
    assert verdict(beside) == "gap"
    assert beside.label.startswith(f"{cell.label}: ")


def write_pairs(runs_dir, seeds=3, ratio=0.73, **changes):
    for seed in range(seeds):
        constant, stochastic = stochastic_depth_table2.CELLS
        for cell, speed in ((constant, 1.0), (stochastic, 1.0 / (ratio + 0.01 * (seed - 1)))):
            folder = runs_dir / f"{cell.label[12:15]}-{seed}"
            write_cell_run(folder, cell, seed, 6.0, **{"steps_per_second": speed} | changes)


def test_pairs_on_an_accelerator_fill_the_ratio_of_the_times(tmp_path):
    write_pairs(tmp_path, platform="gpu")
    first, *others = built(stochastic_depth_table2, tmp_path)
    assert first.published.value == pytest.approx(907 / 1242)
    assert first.ours.mean == pytest.approx(0.73)
    assert first.ours.std == pytest.approx(0.01)
    assert len(first.ours.runs) == 6
    assert difference(first) == pytest.approx(0.73 - 907 / 1242)
    assert [verdict(row) for row in (first, *others)] == ["within spread", "not run", "not run"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"platform": "cpu"}, "on a CPU"),
        ({"platform": "gpu", "width": 8}, "--width=8"),
        ({"platform": "gpu", "note": "a subset"}, "a subset"),
        ({"platform": "gpu", "seeds": 1}, "1 seed"),
    ],
)
def test_other_pairs_are_a_gap(changes, named, tmp_path):
    write_pairs(tmp_path, **changes)
    own, beside, *_ = built(stochastic_depth_table2, tmp_path)
    assert (verdict(own), verdict(beside)) == ("not run", "gap")
    assert named in beside.label


def test_a_run_without_its_twin_has_no_ratio(tmp_path):
    cell = stochastic_depth_table2.CELLS[1]
    write_cell_run(tmp_path / "a", cell, 0, 6.0, steps_per_second=2.0, platform="gpu")
    assert all(row.ours is None for row in built(stochastic_depth_table2, tmp_path))


def test_pca_needs_no_preset_of_the_paper(tmp_path):
    cell = autoencoder_vs_pca.CELLS[0]
    for seed in range(3):
        write_cell_run(tmp_path / str(seed), cell, seed, 13.866)
    rows = built(autoencoder_vs_pca, tmp_path)
    assert verdict(row_of(rows, "PCA")) == "within spread"


def test_each_data_set_of_the_fine_tuning_has_its_own_rows(tmp_path):
    for number, cell in enumerate(encoder_finetune.CELLS[:: 4 * 5]):
        write_cell_run(tmp_path / cell.dataset, cell, 0, 20.0 + number, preset="default")
    found = [row for row in built(encoder_finetune, tmp_path) if row.ours is not None]
    assert [(row.label.partition(",")[0], row.ours.mean) for row in found] == [
        ("MNIST", 20.0),
        ("Fashion-MNIST", 21.0),
    ]
