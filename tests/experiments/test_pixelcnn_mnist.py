"""Tests what pixelcnn_mnist adds to the parts that it composes."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import pixelcnn_mnist
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.metrics.cost import count_parameters

SMOKE = pixelcnn_mnist.Config(**pixelcnn_mnist.SMOKE)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return Library(tmp_path_factory.mktemp("data"), print)


def first_images(library, **changes):
    experiment = pixelcnn_mnist.build(dataclasses.replace(SMOKE, **changes), library)
    return next(experiment.batches(0))["images"]


def test_static_bits_are_drawn_before_training_and_dynamic_ones_in_it(library):
    assert set(np.unique(first_images(library))) == {-1.0, 1.0}
    assert len(np.unique(first_images(library, dynamic_binarization=True))) > 10


def test_four_levels_are_evenly_spaced(library):
    values = np.unique(first_images(library, levels=4))
    np.testing.assert_allclose(values, [-1.0, -1 / 3, 1 / 3, 1.0], atol=1e-6)


def test_the_loss_of_a_new_network_is_near_that_of_coins(library):
    config = dataclasses.replace(SMOKE, class_conditional=True, levels=4)
    experiment = pixelcnn_mnist.build(config, library)
    state = jax.jit(experiment.init)(jax.random.key(0))
    batch = next(experiment.batches(0))
    _, metrics = jax.jit(experiment.step)(state, batch, jax.random.key(1))
    assert 0.5 < float(metrics["loss"]) / (784 * np.log(4.0)) < 2.0


def parameters(channels, **fields):
    network = pixelcnn_mnist.make_network(pixelcnn_mnist.Config(**fields), 10)
    images = jnp.zeros((1, 8, 8, channels))
    shapes = jax.eval_shape(network.init, jax.random.key(0), images)
    return count_parameters(shapes["params"])


def test_the_network_for_cifar10_at_the_size_of_the_paper_is_counted():
    """The sizes are those of the results page."""
    paper = {
        "first_size": 7,
        "filter_size": 3,
        "levels": 256,
        "features": 128,
        "num_layers": 15,
        "head_features": 1_024,
    }
    by_hand = 4 * 7 * 3 * 256 + 256 + 15 * (257 * 128 + 6 * 128**2 + 128 + 129 * 256)
    by_hand += 257 * 1_024 + 1_025 * 768
    assert parameters(3, **paper) == by_hand == 3_537_408


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"levels": 0}, "--levels is 0; it must be from 2 to 256"),
        ({"levels": 257}, "--levels is 257"),
        ({"temperatures": ()}, "--temperatures is empty"),
        ({"temperatures": (0.0,)}, "--temperatures is 0.0; it must be at least 0.01"),
        ({"dynamic_binarization": True, "levels": 4}, "--levels is 4; it must be 2"),
        ({"filter_size": 4}, "--filter_size is 4; a masked filter must be odd"),
        ({"num_layers": 0}, "--num_layers is 0"),
    ],
)
def test_bad_values_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        pixelcnn_mnist.Config(**changes)


def test_a_batch_that_exceeds_the_memory_is_refused(library):
    huge = dataclasses.replace(SMOKE, batch_size=1_000, features=100_000)
    with pytest.raises(DataError, match="a batch of 1000 images of 28x28 need .* --batch_size"):
        pixelcnn_mnist.build(huge, library)


def test_images_of_another_shape_are_not_compared(library):
    dataset = library.load("digits")
    config = dataclasses.replace(SMOKE, outside="")
    assert pixelcnn_mnist.load_outside(config, library, dataset)[0] is None
