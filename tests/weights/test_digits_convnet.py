import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.data import digits
from lecture_models.weights import digits_convnet, tensors
from lecture_models.weights.digits_convnet import DigitsTraining
from lecture_models.weights.digits_convnet import digits_convnet as load

SMALL = DigitsTraining(channels=(4,), hidden=16, num_steps=30, learning_rate=1e-2)

BRIEF = dataclasses.replace(SMALL, num_steps=2)


@pytest.fixture(scope="module")
def brief():
    return digits_convnet.train(BRIEF)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cache") / "weights"


@pytest.fixture(scope="module")
def lines():
    return []


@pytest.fixture(scope="module")
def network(folder, lines):
    return load(folder, lines.append, SMALL)


@pytest.mark.slow
def test_it_is_trained_once_and_says_so(network, lines, folder, monkeypatch):
    assert lines[0].startswith("TRAINING digits_convnet on scikit-learn's digits: once")
    assert digits_convnet.ALARM in lines[1]
    monkeypatch.setattr(digits_convnet, "train", None)
    again = load(folder, lambda line: None, SMALL)
    assert again.provenance == network.provenance
    assert all(jax.tree.leaves(jax.tree.map(np.array_equal, network.variables, again.variables)))


def test_the_record_has_its_file_and_its_accuracy(network, folder):
    (path,) = folder.iterdir()
    assert path.name == f"digits_convnet-{SMALL.digest[:12]}.safetensors"
    assert network.provenance.files == ((path, tensors.sha256(path)),)
    assert network.provenance.note == network.alarm == digits_convnet.ALARM
    test = digits.read(32).test
    images = jnp.asarray(np.repeat(test.images, 3, axis=-1))
    logits, _ = jax.jit(network.model.apply)(network.variables, network.preprocess(images))
    accuracy = (np.argmax(logits, 1) == test.labels).mean()
    assert f"test accuracy {accuracy:.4f} on 300 digits" in network.provenance.source
    assert accuracy > 0.2  # Of ten classes, after thirty steps.
    assert network.classes == tuple("0123456789")


def test_its_gradient_is_gray(network):
    image = jax.random.uniform(jax.random.key(0), (1, 32, 32, 3), minval=-1.0)

    def score(image):
        return network.model.apply(network.variables, network.preprocess.normalize(image))[0][0, 3]

    gradient = jax.jit(jax.grad(score))(image)
    assert np.abs(gradient).max() > 0
    np.testing.assert_array_equal(gradient[..., :1].repeat(3, -1), gradient)


def test_equal_trainings_give_the_same_bytes_and_others_have_another_name(brief):
    again = digits_convnet.train(BRIEF)
    packed = [tensors.packed(found, repr(accuracy)) for found, accuracy in (brief, again)]
    assert packed[0] == packed[1]
    assert len({BRIEF.digest, SMALL.digest, dataclasses.replace(SMALL, seed=1).digest}) == 3


@pytest.mark.parametrize("content", [b"", b"damaged"])
def test_a_damaged_file_is_made_again(tmp_path, content, brief, monkeypatch):
    monkeypatch.setattr(digits_convnet, "train", lambda training: brief)
    path = tmp_path / f"digits_convnet-{SMALL.digest[:12]}.safetensors"
    path.write_bytes(content)
    load(tmp_path, lambda line: None, SMALL)
    assert tensors.read(path).keys() == brief[0].keys()


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path, brief, monkeypatch):
    monkeypatch.setattr(digits_convnet, "train", lambda training: brief)
    (tmp_path / "file").touch()
    lines = []
    network = load(tmp_path / "file" / "weights", lines.append, SMALL)
    assert len(network.classes) == 10
    assert "cannot be written" in lines[1]
