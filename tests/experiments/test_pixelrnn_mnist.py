"""Tests the refusals and choices of pixelrnn_mnist and generative_speed."""

import dataclasses

import jax
import numpy as np
import optax
import pytest

from experiments import generative_speed, pixelrnn_mnist
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from tests.experiments.test_linear_ae_mnist import Shelf, pictures

SMOKE = pixelrnn_mnist.Config(**pixelrnn_mnist.SMOKE)


def test_bits_are_drawn_once_or_for_each_batch(tmp_path):
    library = Library(tmp_path, print)
    bits, gray = (
        next(pixelrnn_mnist.build(config, library).batches(0))["images"]
        for config in (SMOKE, dataclasses.replace(SMOKE, dynamic_binarization=True))
    )
    assert set(np.unique(bits)) == {-1.0, 1.0}
    assert len(np.unique(gray)) > 10


def test_rmsprop_has_a_constant_rate(tmp_path):
    config = dataclasses.replace(SMOKE, rmsprop=True, learning_rate=0.5)
    optimizer = pixelrnn_mnist.make_optimizer(config)
    state = optimizer.init(np.zeros(1, np.float32))
    updates, _ = optimizer.update(np.ones(1, np.float32), state)
    expected, _ = optax.rmsprop(0.5).update(np.ones(1, np.float32), state)
    np.testing.assert_array_equal(updates, expected)
    assert pixelrnn_mnist.build(config, Library(tmp_path, print)).cadence_decides == {}


def test_an_unknown_layer_and_color_pictures_are_refused():
    with pytest.raises(ValueError, match="--layer is 'lstm'; it must be one of row_lstm, diagonal"):
        pixelrnn_mnist.Config(layer="lstm")
    with pytest.raises(DataError, match="have 3 channels; PixelRNN takes gray images"):
        pixelrnn_mnist.build(SMOKE, Shelf(pictures(20, (6, 6, 3))))


def test_an_unknown_model_is_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="--models has 'pixelcn'; did you mean 'pixelcnn'"):
        generative_speed.Config(models=("pixelcn",))
    with pytest.raises(ValueError, match="--models is empty"):
        generative_speed.Config(models=())


def test_a_time_is_that_of_one_repetition():
    calls = []
    found = generative_speed.timed(lambda: calls.append(jax.numpy.zeros(())), repetitions=4)
    assert len(calls) == 5
    assert 0.0 <= found.wall < 1.0


def test_ratios_compare_recurrent_layers_with_convolutions():
    row = {"milliseconds_per_image": 2.0, "processor_milliseconds_per_image": 4.0}
    half = {name: value / 2.0 for name, value in row.items()}
    ratios = generative_speed.tell_ratios({"pixelcnn": half, "row_lstm": row})
    assert ratios == {"row_lstm_over_pixelcnn": 2.0, "row_lstm_over_pixelcnn_processor": 2.0}
    assert generative_speed.tell_ratios({"row_lstm": row}) == {}
