"""Tests that a run's classifier is read with its classes and preprocessing, and only then."""

import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.convnet_fashion_mnist import SMOKE, Config, build
from lecture_models.commands.run_network import read_run_network
from lecture_models.config import as_json_values
from lecture_models.data.lookup import Library
from lecture_models.nn.augmentation import channel_moments, standardize
from lecture_models.runs.reader import RunFolderError
from lecture_models.training import metric_window
from lecture_models.training.checkpoint import Checkpoints
from lecture_models.training.loop import metric_names
from lecture_models.weights import random_networks
from lecture_models.weights.catalog import CATALOG
from lecture_models.weights.error import WeightsError
from lecture_models.weights.pretrained import Weights
from tests.conftest import ROOT
from tests.past import write_past_run

EXPERIMENTS = ROOT / "experiments"
CONFIG = Config(**SMOKE | {"train_images": 40})


@pytest.fixture(scope="module")
def experiment():
    return build(CONFIG, Library(None, print))


@pytest.fixture(scope="module")
def state(experiment):
    random = np.random.default_rng(0)
    shapes = jax.eval_shape(experiment.init, jax.random.key(0))
    return jax.tree.map(
        lambda leaf: jnp.asarray(random.normal(size=leaf.shape), leaf.dtype), shapes
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory, experiment, state):
    """Returns the folder of a run whose checkpoint at step 12 holds the state."""
    folder = write_past_run(
        tmp_path_factory.mktemp("runs") / "mine",
        config=as_json_values(CONFIG),
        experiment="convnet_fashion_mnist",
        classifier=experiment.classifier.record,
    )
    checkpoints = Checkpoints(folder / "checkpoints", print)
    names = metric_names(experiment, jax.random.key(0), jax.random.key(1))
    checkpoints.save(12, {"state": state, "window": metric_window.empty(len(names))})
    checkpoints.close()
    return folder


def read(folder, library=None):
    library = library or Library(folder / "no_data", print)
    return read_run_network(EXPERIMENTS, library, lambda line: None, folder)


def with_record(folder, tmp_path, **record):
    """Returns another run's folder, with the same checkpoints."""
    content = {"experiment": "convnet_fashion_mnist", "config": as_json_values(CONFIG)}
    copy = write_past_run(tmp_path / "copy", **content | record)
    shutil.copytree(folder / "checkpoints", copy / "checkpoints")
    return copy


def test_the_network_computes_what_the_run_did_without_its_data(folder, experiment, state):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    library = Library(folder / "no_data", print)
    network = read(folder, library)
    gray = np.random.default_rng(0).uniform(-1.0, 1.0, (3, 28, 28, 1)).astype(np.float32)
    dataset = Library(None, print).load("digits")
    moments = channel_moments(dataset.train.images[:40])
    apply = jax.jit(network.model.apply)
    expected, _ = apply(state.variables, standardize(jnp.asarray(gray), moments))
    found, _ = apply(network.variables, network.preprocess(jnp.repeat(gray, 3, axis=-1)))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert network.classes == tuple("0123456789")
    assert network.provenance.source.startswith("run of convnet_fashion_mnist at step 12, commit")
    assert library.provenance == ()
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_run_from_before_such_records_is_built_from_its_data(folder, tmp_path, experiment):
    library = Library(None, print)
    network = read(with_record(folder, tmp_path), library)
    assert network.classes == experiment.classifier.classes
    assert [source.dataset for source in library.provenance] == ["digits"]


@pytest.mark.parametrize(
    ("record", "error", "message"),
    [
        (
            {"classifier": None},
            WeightsError,
            "copy, a run of convnet_fashion_mnist, which does not",
        ),
        (
            {"experiment": "class_image", "config": {}, "classifier": None},
            WeightsError,
            "a run of class_image, which does not train a classifier of images",
        ),
        ({"classifier": {"classes": ["a"]}}, RunFolderError, "its classifier has no list image_sh"),
        (
            {"classifier": {"classes": list("ab"), "image_shape": [28, 24, 1]}},
            RunFolderError,
            "its classifier has no list mean",
        ),
        (
            {
                "classifier": {
                    "classes": list("ab"),
                    "image_shape": [28, 24, 1],
                    "mean": [0.0],
                    "deviation": [1.0],
                }
            },
            WeightsError,
            "takes images of 28x24x1; --model needs a square side, and 1 or 3 channels",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(folder, tmp_path, record, error, message):
    with pytest.raises(error, match=message) as refused:
        read(with_record(folder, tmp_path, **record))
    assert "\n" not in str(refused.value)


def test_a_run_without_checkpoints_is_refused(folder, tmp_path):
    copy = with_record(folder, tmp_path, classifier=None)
    shutil.rmtree(copy / "checkpoints")
    shutil.copy(folder / "config.json", copy / "config.json")
    with pytest.raises(WeightsError, match="checkpoints does not exist: the run has no checkpoint"):
        read(copy)
    (copy / "checkpoints").mkdir()
    with pytest.raises(WeightsError, match="holds no checkpoint"):
        read(copy)


def test_a_run_that_was_interrupted_says_so(folder, tmp_path, experiment):
    record = experiment.classifier.record
    copy = with_record(folder, tmp_path, classifier=record, status="interrupted")
    assert read(copy).provenance.note == (
        "run of convnet_fashion_mnist at step 12 is not finished: interrupted"
    )


def test_weights_take_the_folder_of_a_run_where_a_name_is_expected(tmp_path):
    asked = []
    mine = random_networks.untrained(CATALOG["resnet18_timm"].preprocessing, print)
    weights = Weights(tmp_path, print, lambda folder: asked.append(folder) or mine)
    (tmp_path / "run").mkdir()
    assert weights.load(str(tmp_path / "run")) is mine
    assert asked == [tmp_path / "run"]
    assert weights.provenance == (mine.provenance,)
    with pytest.raises(WeightsError, match="no weights '/nowhere/run'.*, or the folder of a run"):
        weights.load("/nowhere/run")
