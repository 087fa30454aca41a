"""Tests the fields of convnet_fashion_mnist."""

import dataclasses

import jax
import pytest

from experiments import convnet_fashion_mnist as experiment_file
from lecture_models.data.lookup import Library
from lecture_models.metrics.cost import count_parameters

SMOKE = experiment_file.Config(**experiment_file.SMOKE)


def test_the_number_and_size_of_filters_are_fields(tmp_path):
    library = Library(tmp_path, print)
    config = dataclasses.replace(SMOKE, features=12, window=3)
    params = jax.eval_shape(experiment_file.build(config, library).init, jax.random.key(0)).params
    assert count_parameters(params) == 12 * (9 + 1) + 10 * (12 * 14 * 14 + 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"window": 4}, "--window is 4; it must be odd"),
        ({"features": 0}, "--features is 0; it must be at least 1"),
    ],
)
def test_invalid_configs_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SMOKE, **changes)
