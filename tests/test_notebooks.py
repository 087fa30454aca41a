"""Executes the notebooks of the documentation at smoke size, and checks that they are kept bare."""

import json

import pytest

from tests.conftest import ROOT

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
# Parameters that replace those of the notebook's cell with the tag `parameters`.
SMOKE = {
    "gan": 'DATASET, NUM_STEPS, LATENT_DIM, BATCH_SIZE = "digits", 10, 4, 16',
    "style_transfer": (
        'MODEL, CONTENT_LAYER, STYLE_LAYERS = "untrained", "relu2_1", ("relu1_1",)\n'
        "SIZE, NUM_STEPS, STYLE_WEIGHT = 32, 3, 1.0"
    ),
    "attribution": (
        'MODEL = "untrained"\nSAMPLES, SMOOTH_NOISE, OCCLUSION, DELETION_STEPS = 2, 0.2, 28, 3'
    ),
}


def cells(path):
    return json.loads(path.read_text("utf-8"))["cells"]


def test_every_notebook_has_a_smoke_size():
    assert {path.stem for path in NOTEBOOKS} == set(SMOKE)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path):
    assert all(not cell.get("outputs") for cell in cells(path))
    assert [cell for cell in cells(path) if "parameters" in cell["metadata"].get("tags", [])]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_a_picture(path, tmp_path):
    nbclient = pytest.importorskip("nbclient", reason="nbclient absent: it is in the extra docs")
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(path, as_version=4)
    (tagged,) = (
        index
        for index, cell in enumerate(notebook.cells)
        if "parameters" in cell.metadata.get("tags", [])
    )
    smoke = nbformat.v4.new_code_cell(SMOKE[path.stem])
    notebook.cells.insert(tagged + 1, smoke)
    client = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    shown = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert len(shown) == 1
