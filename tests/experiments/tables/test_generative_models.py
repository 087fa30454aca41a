"""Fills the table of generative models from made-up runs, and again from the kept records."""

import launch
from experiments.tables import generative_models
from lecture_models.commands import table_output
from lecture_models.runs.results import Measurement
from lecture_models.tables.formats import FORMATS
from lecture_models.tables.table import TableContext, verdict
from tests.experiments.tables.test_paper_tables import write_cell_run
from tests.runs.test_results import write_run

BY_LABEL = {model.cell.label: model for model in generative_models.MODELS}


def rows(folder):
    table = generative_models.build(TableContext(folder, None, None, announce=print))
    return {row.label: row for row in table.rows}


def properties(row):
    return {extra.name: extra.value for extra in row.extras}


def test_three_seeds_fill_a_row_with_nats_and_seconds(tmp_path):
    cell = BY_LABEL["PixelCNN"].cell
    for seed in range(3):
        write_cell_run(tmp_path / str(seed), cell, seed, 88.0 + seed, steps_per_second=10.0)
    row = rows(tmp_path)["PixelCNN"]
    assert (row.ours.mean, row.ours.std, row.ours.count) == (89.0, 1.0, 3)
    assert verdict(row) == "gap"
    assert properties(row)["likelihood"] == "exact"
    seconds = properties(row)["training, s"]
    assert isinstance(seconds, Measurement)
    assert seconds.count == 3
    assert verdict(rows(tmp_path)["gated PixelCNN"]) == "not run"


def test_a_gan_has_no_nats_and_its_frechet_distance_stands_apart(tmp_path):
    cell = BY_LABEL["GAN"].cell
    for seed in range(3):
        write_cell_run(tmp_path / str(seed), cell, seed, 2.5)
    row = rows(tmp_path)["GAN"]
    assert row.ours == "none"
    assert properties(row)["Frechet"].mean == 2.5


def test_times_of_samples_and_parameters_come_from_generative_speed(tmp_path):
    for seed in range(3):
        write_cell_run(tmp_path / f"a{seed}", BY_LABEL["MADE"].cell, seed, 90.0)
        for metric, value in (("seconds_per_1000_samples", 2.0), ("parameters", 1_399_940.0)):
            write_run(
                tmp_path / f"{metric}{seed}",
                seed,
                value,
                experiment="generative_speed",
                metric=f"made_{metric}",
            )
    found = properties(rows(tmp_path)["MADE"])
    assert found["parameters"] == 1_399_940
    assert found["1,000 samples, s"].mean == 2.0


def test_the_kept_records_make_the_kept_table_again(root):
    context = TableContext(root / "results" / "runs", None, None, announce=print)
    table = table_output.build(launch.CHECKOUT.tables, "generative_models", context)
    kept = (root / "results" / "tables" / "generative_models.md").read_text("utf-8")
    assert FORMATS[".md"](table) == kept
