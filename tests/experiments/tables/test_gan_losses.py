"""Fills the table of the games of GANs from made-up runs."""

import json

import pytest

from experiments import dcgan_mnist
from experiments.tables import gan_losses
from lecture_models.tables.table import TableContext, verdict
from lecture_models.tables.trained_cells import belongs
from tests.experiments.tables.test_paper_tables import write_cell_run

BY_LABEL = {cell.label: cell for cell in gan_losses.CELLS}


@pytest.mark.parametrize("cell", gan_losses.CELLS, ids=lambda cell: cell.label)
def test_every_game_is_a_valid_config_that_belongs_to_its_row_alone(cell):
    config = vars(dcgan_mnist.Config(**dict(cell.config)))
    assert [other.label for other in gan_losses.CELLS if belongs(other, config)] == [cell.label]


def test_a_run_with_the_defaults_belongs_to_no_row():
    assert not any(belongs(cell, vars(dcgan_mnist.Config())) for cell in gan_losses.CELLS)


def test_three_seeds_fill_a_row_and_their_collapses_are_counted(tmp_path):
    cell = BY_LABEL["least squares"]
    for seed, covered in enumerate((10.0, 7.0, 9.0)):
        write_cell_run(tmp_path / str(seed), cell, seed, 20.0 + seed)
        path = tmp_path / str(seed) / "summary.json"
        summary = json.loads(path.read_text())
        summary["metrics"] |= {"eval/kernel_distance": 4.0 + seed, "eval/modes_covered": covered}
        path.write_text(json.dumps(summary))
    table = gan_losses.build(TableContext(tmp_path, None, None, announce=print))
    rows = {row.label: row for row in table.rows}
    assert rows["least squares"].ours.mean == 21.0
    found = {extra.name: extra.value for extra in rows["least squares"].extras}
    assert found["alarms"] == "1 of 3"
    assert found["KID"].mean == 5.0
    assert found["steps"] == 1_500
    assert verdict(rows["hinge, spectral norm"]) == "not run"
