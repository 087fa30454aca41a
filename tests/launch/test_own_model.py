"""Tests `--model=FILE.py:FUNCTION` from the command line to the record."""

import json
import re

import numpy as np
import pytest
from flax.traverse_util import flatten_dict
from safetensors.numpy import save_file

import launch
from lecture_models.commands import discovery
from lecture_models.commands.invocation import Invocation
from lecture_models.commands.run import choose, open_sources, read_flags
from lecture_models.weights.pretrained import Weights
from tests.conftest import ROOT
from tests.launch.launched import run

NET = re.search(r"```python[^\n]*\n(.*?)```", (ROOT / "docs/own_model.md").read_text(), re.DOTALL)[
    1
]
# Flags by which an experiment accepts a network of one's own.
BUILT = {
    "attribution": ["--methods=saliency,grad_cam"],
    "class_image": ["--classes=cat,dog", "--judge="],
    "deep_dream": ["--layer=conv2"],
    "feature_visualization": ["--layers=conv1,conv2"],
    "style_transfer": ["--content_layers=conv2", "--style_layers=conv1,conv2"],
    "texture_synthesis": ["--layers=conv1,conv2", "--noaverage_pooling"],
    "feature_inversion": ["--layers=conv1,conv2"],
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Holds the network of the page about networks of one's own, and is the present folder."""
    (tmp_path / "net.py").write_text(NET)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT)
def test_an_experiment_is_built_with_a_network_of_ones_own(name):
    module = discovery.load(launch.CHECKOUT.experiments, name)
    words = [f"--experiment={name}", "--preset=smoke", "--model=net.py:make_model", *BUILT[name]]
    values = read_flags(Invocation(launch.CHECKOUT, "launch.py", words, 0.0), module)
    sources = open_sources(module, values)
    assert module.build(choose(name, module, values).config, *sources).init is not None
    assert next(found.dataset for found in sources[1].provenance) == "weights net.py:make_model"


@pytest.mark.slow
def test_a_run_records_the_files_and_its_repetition_says_what_changed(folder, capsys):
    variables = Weights(None, pytest.fail).load("net.py:make_model").variables
    flat = {"/".join(path): np.asarray(leaf) for path, leaf in flatten_dict(variables).items()}
    save_file(flat, folder / "net.safetensors")
    arguments = ["--experiment=classify_images", "--model=net.py:without_parameters"]
    flags = ["--weights=net.safetensors", "--wandb=disabled", "--workdir=first"]
    assert run(*arguments, *flags) == 0
    record = json.loads((folder / "first" / "config.json").read_text())
    assert record["config"]["model"] == "net.py:without_parameters@net.safetensors"
    files = record["data"][-1]["files"]
    assert [file["path"] for file in files] == [
        str(folder / name) for name in ("net.py", "net.safetensors")
    ]
    capsys.readouterr()
    assert run("--reproduce=first", "--wandb=disabled", "--workdir=second") == 0
    assert "weights net.py" not in capsys.readouterr().err
    (folder / "net.py").write_text(NET + "\n# Changed.\n")
    assert run("--reproduce=first", "--wandb=disabled", "--workdir=third") == 0
    told = capsys.readouterr().err
    assert "warning: data weights net.py:without_parameters@net.safetensors" in told
    assert files[0]["sha256"][:8] in told


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--weights=w.safetensors"], 2, "--weights is w.safetensors; it needs --model=FILE.py"),
        (["--model=net.py:make_modle"], 1, "net.py has no function 'make_modle'; did you mean"),
        (["--model=net.py:make_model"], 1, "allowed: saliency,smoothgrad"),
        (
            ["--model=net.py:make_model", "--methods=grad_cam", "--cam_layer=conv9"],
            1,
            "has no layer 'conv9' for images of 32x32; did you mean 'conv2'? Its layers: conv1, ",
        ),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line(flags, code, message, folder, capsys):
    assert run("--experiment=attribution", "--wandb=disabled", *flags) == code
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not (folder / "runs").exists()
