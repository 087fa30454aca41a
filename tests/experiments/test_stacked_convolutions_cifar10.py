"""Tests the widths and checks of all_convolutional_cifar10 and network_in_network_cifar10."""

import dataclasses

import jax
import pytest

from experiments import all_convolutional_cifar10, network_in_network_cifar10
from lecture_models.data.lookup import Library
from lecture_models.metrics.cost import count_parameters
from lecture_models.models.all_convolutional import BASE_C, all_convolutional
from lecture_models.models.network_in_network import CIFAR_LAYERS, NetworkInNetwork
from lecture_models.nn.convolution_stack import Conv
from lecture_models.tasks.classification import scale_features


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return Library(tmp_path_factory.mktemp("no_data"), print)


@pytest.mark.parametrize("layers", [all_convolutional(BASE_C), CIFAR_LAYERS])
def test_scaled_layers_differ_only_in_their_features(layers):
    assert scale_features(layers, 1.0) == layers
    halves = scale_features(layers, 0.5)
    for layer, half in zip(layers, halves, strict=True):
        if isinstance(layer, Conv):
            assert half.features == layer.features / 2
            half = half._replace(features=layer.features)
        assert half == layer


def test_every_scaled_layer_has_a_feature():
    smallest = scale_features(CIFAR_LAYERS, 1e-6)
    assert {layer.features for layer in smallest if isinstance(layer, Conv)} == {0, 1}


@pytest.mark.parametrize("experiment_file", [all_convolutional_cifar10, network_in_network_cifar10])
def test_the_papers_width_gives_the_papers_network(experiment_file, library):
    config = experiment_file.Config(**experiment_file.SMOKE)
    wide = dataclasses.replace(config, width=experiment_file.PAPER["width"])
    counts = [
        count_parameters(
            jax.eval_shape(
                experiment_file.build(narrow_or_wide, library).init, jax.random.key(0)
            ).params
        )
        for narrow_or_wide in (config, wide)
    ]
    assert counts[0] < counts[1]
    if experiment_file is network_in_network_cifar10:
        gray = 2 * 25 * 192  # The digits have one channel, not three.
        assert counts[1] == 966_986 - gray
        assert NetworkInNetwork().layers == CIFAR_LAYERS


@pytest.mark.parametrize(
    ("experiment_file", "changes", "message"),
    [
        (all_convolutional_cifar10, {"dropout": 1.0}, "--dropout is 1.0; it must be from 0.0"),
        (all_convolutional_cifar10, {"width": 0}, "--width is 0; it must be at least 1"),
        (network_in_network_cifar10, {"dropout": -0.1}, "--dropout is -0.1; it must be from 0.0"),
        (network_in_network_cifar10, {"dtype": "half"}, "--dtype is 'half'"),
    ],
)
def test_invalid_configs_are_refused(experiment_file, changes, message):
    with pytest.raises(ValueError, match=message):
        experiment_file.Config(**experiment_file.SMOKE | changes)
