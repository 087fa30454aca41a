"""Tests lists of networks: the first available one is used, and the reasons are reported."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from lecture_models.weights import pretrained, tensors
from lecture_models.weights.catalog import CATALOG, PinnedFile
from lecture_models.weights.error import WeightsError
from lecture_models.weights.network import expected_shapes
from lecture_models.weights.pretrained import UNTRAINED, Weights, known
from tests.weights.small_files import public_tensors

SQUEEZENET = CATALOG["squeezenet1_1_rgb"]


@pytest.fixture
def given(tmp_path, monkeypatch):
    """Returns a folder with a network of noise, "given", whose SHA-256 is in the catalog."""
    path = tmp_path / "given.safetensors"
    save_file(public_tensors(expected_shapes(SQUEEZENET.build()), SQUEEZENET.layout), path)
    entry = SQUEEZENET._replace(file=path.name, sha256=tensors.sha256(path))
    monkeypatch.setitem(pretrained.CATALOG, "given", entry)
    return tmp_path


@pytest.mark.slow
def test_the_first_that_is_there_is_taken_in_silence(given):
    lines = []
    weights = Weights(given, lines.append)
    network = weights.load("given,googlenet_bvlc")
    assert network.name == "given"
    assert weights.load("given") is network
    assert lines == []
    assert len(weights.provenance) == 1


def test_another_than_the_first_is_announced_and_recorded(given):
    lines = []
    weights = Weights(given, lines.append)
    network = weights.load("googlenet_bvlc, given")
    assert network.name == "given"
    (line,) = lines
    assert line.startswith("FALLBACK: googlenet_bvlc: googlenet_bvlc.safetensors does not exist in")
    assert line.endswith("; using given")
    (provenance,) = weights.provenance
    assert provenance.dataset == "weights given"
    assert provenance.note.startswith(
        "fallback: googlenet_bvlc: googlenet_bvlc.safetensors does not exist"
    )


def test_a_single_name_is_never_replaced(given):
    with pytest.raises(WeightsError, match="^googlenet_bvlc: "):
        Weights(given, print).load("googlenet_bvlc")


def test_a_damaged_file_is_not_skipped(given):
    (given / "given.safetensors").write_bytes(b"x")
    with pytest.raises(WeightsError, match="is damaged"):
        Weights(given, print).load(f"given,{UNTRAINED}")


def test_without_a_network_a_list_ends_at_the_first_that_needs_none(tmp_path, monkeypatch):
    entry = SQUEEZENET._replace(url="http://127.0.0.1:9/a.safetensors", file="far.safetensors")
    monkeypatch.setitem(pretrained.CATALOG, "far", entry)
    lines = []
    network = Weights(tmp_path, lines.append).load(f"far,googlenet_bvlc,{UNTRAINED}")
    assert network.name == UNTRAINED
    assert "far.safetensors cannot be downloaded: no connection to 127.0.0.1:9" in lines[-1]
    assert "random parameters" in network.alarm
    assert network.provenance.note.startswith(network.alarm)


def test_if_nothing_of_a_list_is_available_every_reason_is_given(tmp_path):
    with pytest.raises(WeightsError, match="^googlenet_bvlc: .*; squeezenet1_1_rgb: ") as caught:
        Weights(tmp_path, print).load("googlenet_bvlc,squeezenet1_1_rgb")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("names", ["given,vgg19_randm", "vgg19_randm", "given,", ""])
def test_an_unknown_name_is_refused_before_anything_is_read(given, names):
    with pytest.raises(WeightsError, match="there are no weights '.*Known: .*vgg19_random"):
        Weights(given, print).load(names)
    assert {"vgg19_caffe_conv", "vgg19_normalized", "digits_convnet", UNTRAINED} <= set(known())


def test_a_network_is_normalized_by_the_means_of_its_file(tmp_path, monkeypatch):
    from lecture_models.models.vgg import VGG
    from lecture_models.weights import layouts

    model = VGG(stages=((2, (3,)), (3, (3,))), num_classes=0)
    layout = layouts.torchvision_vgg((1, 1), classifier=False)
    save_file(public_tensors(expected_shapes(model), layout), tmp_path / "vgg.safetensors")
    means = {"conv1_1": np.full(2, 4.0, "f4"), "conv2_1": np.full(3, 5.0, "f4")}
    save_file(means | {"public.conv1_1": means["conv1_1"]}, tmp_path / "means.safetensors")
    plain = SQUEEZENET._replace(
        build=lambda: model, layout=layout, file="vgg.safetensors", sha256=None
    )
    pinned = PinnedFile("means.safetensors", tensors.sha256(tmp_path / "means.safetensors"))
    monkeypatch.setitem(pretrained.CATALOG, "plain", plain)
    monkeypatch.setitem(pretrained.CATALOG, "normal", plain._replace(means=pinned))
    weights = Weights(tmp_path, lambda line: None)
    before, after = (weights.load(name) for name in ("plain", "normal"))
    for layer, factor in (("conv1_1", 1 / 4), ("conv2_1", 4 / 5)):
        kernels = [each.variables["params"][layer]["kernel"] for each in (before, after)]
        np.testing.assert_allclose(kernels[1], factor * kernels[0], rtol=1e-6)
    assert [file.path.name for file in after.provenance.files] == [
        "vgg.safetensors",
        "means.safetensors",
    ]
    (tmp_path / "means.safetensors").unlink()
    with pytest.raises(WeightsError, match="^normal: means.safetensors does not exist in"):
        Weights(tmp_path, lambda line: None).load("normal")
