"""Compares converted networks with what another implementation computed from the same files."""

import os
from pathlib import Path

import jax
import numpy as np
import pytest

from lecture_models.data.pixels import images_from_uint8
from lecture_models.weights import tensors
from lecture_models.weights.normalized_vgg import normalize
from lecture_models.weights.pretrained import Weights
from tests.conftest import ROOT

# Two float32 programs that add in another order: logits are of the order of 10.
LOGITS = 1e-4
MEANS = {"rtol": 1e-5, "atol": 1e-3}  # Of activations up to some thousands.


@pytest.fixture(scope="module")
def folder() -> Path:
    given = os.environ.get("LECTURE_MODELS_WEIGHTS")
    for each in (given, ROOT.parent / "shared" / "weights"):
        if each and (Path(each) / "reference_outputs.npz").is_file():
            return Path(each)
    pytest.skip("weights absent: set LECTURE_MODELS_WEIGHTS to a folder with reference_outputs.npz")


@pytest.fixture(scope="module")
def reference(folder):
    with np.load(folder / "reference_outputs.npz") as file:
        return dict(file)


def outputs(folder, name, pixels):
    network = Weights(folder, print).load(name)

    @jax.jit
    def run(variables, images):
        logits, activations = network.model.apply(variables, network.preprocess.normalize(images))
        means = {key: each.mean((1, 2)) for key, each in activations.items() if each.ndim == 4}
        return logits, means

    return run(network.variables, images_from_uint8(pixels))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "recorded", "size"),
    [
        ("googlenet_bvlc", "googlenet_logits", 224),
        ("squeezenet1_1_caffe", "squeezenet1_1_caffe_logits_227", 227),
        ("squeezenet1_1_rgb", "squeezenet1_1_rgb_logits_224", 224),
        ("mobilenet_v2_folded", "mobilenet_v2_logits", 224),
    ],
)
@pytest.mark.real_data
def test_logits_are_those_recorded(folder, reference, name, recorded, size):
    logits, means = outputs(folder, name, reference[f"x{size}"])
    np.testing.assert_allclose(logits, reference[recorded], atol=LOGITS)
    np.testing.assert_array_equal(np.argmax(logits, 1), reference["index"])
    if name == "googlenet_bvlc":
        expected = reference["googlenet_inception_4c_output_mean"]
        np.testing.assert_allclose(means["inception_4c/output"], expected, **MEANS)


@pytest.mark.slow
@pytest.mark.real_data
def test_every_rectified_layer_of_vgg_19_has_the_means_recorded(folder, reference):
    _, means = outputs(folder, "vgg19_caffe_conv", reference["x224"])
    layers = [key.split("_mean")[0].removeprefix("vgg19_conv") for key in reference if "vgg" in key]
    assert len(layers) == 16
    for layer in layers:
        expected = reference[f"vgg19_conv{layer}_mean"]
        np.testing.assert_allclose(means[f"relu{layer}"], expected, **MEANS)


@pytest.mark.real_data
def test_a_normalized_vgg_19_is_the_published_one(folder):
    network = Weights(folder, print).load("vgg19_caffe_conv")
    means = tensors.read(folder / "vgg19_mean_activations.safetensors")
    published = {
        name.removeprefix("public."): value
        for name, value in means.items()
        if name.startswith("public.")
    }
    found = normalize(network.variables, published)["params"]
    other = tensors.read(folder / "vgg19_normalised_conv3_1.safetensors")
    for layer, number in {"conv1_2": 5, "conv2_1": 9, "conv2_2": 12, "conv3_1": 16}.items():
        kernel = other[f"{number}.weight"].transpose(2, 3, 1, 0)
        # The file here has kernels of float16, 11 bits.
        gap = np.abs(found[layer]["kernel"] - kernel).max() / np.abs(kernel).max()
        assert gap < 2**-11
        np.testing.assert_allclose(found[layer]["bias"], other[f"{number}.bias"], atol=1e-5)


@pytest.mark.slow
@pytest.mark.real_data
def test_the_small_vgg_19_follows_the_normalized_one_channel_by_channel(folder, reference):
    """Compares median correlations on photos with those of the converter, to within a tenth."""
    recorded = {"1_1": 0.95, "2_1": 0.87, "3_1": 0.82, "4_1": 0.79, "5_1": 0.56}
    images = jax.numpy.asarray(images_from_uint8(reference["x224"]))
    maps = {}
    for name in ("vgg19_distilled16x", "vgg19_normalized"):
        network = Weights(folder, print).load(name)
        seen = network.preprocess.normalize(images)
        _, maps[name] = jax.jit(network.model.apply)(network.variables, seen)
    public = tensors.read(folder / "vgg19_distilled16x.safetensors")
    for layer, expected in recorded.items():
        key = f"conv{layer.replace('_', '')}_aux"
        small = np.asarray(maps["vgg19_distilled16x"][f"relu{layer}"])
        mapped = small @ public[f"{key}.weight"][:, :, 0, 0].T + public[f"{key}.bias"]
        mapped = np.maximum(mapped, 0.0).reshape(-1, mapped.shape[-1])
        teacher = np.asarray(maps["vgg19_normalized"][f"relu{layer}"]).reshape(mapped.shape)
        centered = [each - each.mean(0, keepdims=True) for each in (mapped, teacher)]
        sizes = [np.sqrt(np.square(each).sum(0)) for each in centered]
        alive = (sizes[0] > 0) & (sizes[1] > 0)
        found = (centered[0] * centered[1]).sum(0)[alive] / (sizes[0] * sizes[1])[alive]
        assert abs(np.median(found) - expected) < 0.1, layer
