import jax
import numpy as np
import pytest

from lecture_models.weights.catalog import CATALOG
from lecture_models.weights.pretrained import Weights


@pytest.fixture(scope="module")
def lines():
    return []


@pytest.fixture(scope="module")
def network(lines, tmp_path_factory):
    return Weights(tmp_path_factory.mktemp("empty"), lines.append).load("vgg19_random")


def test_random_filters_are_announced_and_recorded(network, lines):
    assert len(lines) == 1
    assert lines[0].startswith("RANDOM FILTERS: vgg19_random has random filters, nothing learned")
    assert network.alarm.startswith("random filters, nothing learned")
    assert network.provenance.note == network.alarm
    assert network.provenance.files == ()
    assert network.classes == ()


def test_random_filters_are_those_of_vgg_19_and_the_same_every_time(network, tmp_path):
    again = Weights(tmp_path, lambda line: None).load("vgg19_random")
    assert all(jax.tree.leaves(jax.tree.map(np.array_equal, network.variables, again.variables)))
    kernels = [each["kernel"] for each in network.variables["params"].values()]
    assert len(kernels) == 16
    assert sum(kernel.size for kernel in kernels) == 20_018_880
    assert network.preprocess == CATALOG["vgg19_caffe_conv"].preprocessing


def test_random_filters_keep_the_size_of_the_activations(network):
    noise = np.random.default_rng(0).normal(0.0, 50.0, (1, 64, 64, 3)).astype("f4")
    _, activations = jax.jit(network.model.apply)(network.variables, noise)
    sizes = {name: float(np.sqrt(np.square(each).mean())) for name, each in activations.items()}
    rectified = [sizes[name] for name in sizes if name.startswith("relu")]
    # Max-pooling raises it: at most by the factor for four independent maps, each time.
    assert min(rectified) > 25
    assert max(rectified) < 50 * 3 ** (4 / 2)
    for before, after in (("relu1_1", "relu1_2"), ("relu3_1", "relu3_4"), ("relu4_1", "relu4_4")):
        assert 0.8 < sizes[after] / sizes[before] < 1.25
