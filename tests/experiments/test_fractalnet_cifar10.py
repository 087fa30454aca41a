"""Tests the deepest column and the drop-path of fractalnet_cifar10."""

import dataclasses

import jax
import numpy as np
import pytest

from experiments import fractalnet_cifar10 as experiment_file
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library

SMOKE = experiment_file.Config(**experiment_file.SMOKE)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return Library(tmp_path_factory.mktemp("no_data"), print)


@pytest.mark.slow
def test_the_deepest_column_is_evaluated_with_its_own_weights(library):
    experiment = experiment_file.build(SMOKE, library)
    state = jax.jit(experiment.init)(jax.random.key(0))
    name = "validation_error_percent_deepest"
    evaluation = experiment.evaluate(state, jax.random.key(0))
    # Without the weights of the other column, only the whole net has another score.
    params = {
        layer: jax.tree.map(lambda x, zero="_column1_" in layer: 0.0 * x if zero else x, value)
        for layer, value in state.params.items()
    }
    without = experiment.evaluate(state._replace(params=params), jax.random.key(0))
    assert without[name] == evaluation[name]
    assert without["validation_cross_entropy"] != evaluation["validation_cross_entropy"]


def test_images_that_cannot_be_halved_for_every_block_are_refused(library):
    config = dataclasses.replace(SMOKE, channels=(4, 4, 4), dropout=(0.0,) * 3)
    with pytest.raises(DataError, match="28x28x1: .* multiples of 8"):
        experiment_file.build(config, library)


@pytest.mark.slow
def test_every_step_draws_its_own_drop_path(library):
    config = dataclasses.replace(SMOKE, dropout=(0.0, 0.0), local_drop=0.5)
    experiment = experiment_file.build(config, library)
    state = jax.jit(experiment.init)(jax.random.key(0))
    batch, step = next(experiment.batches(0)), jax.jit(experiment.step)
    losses = [float(step(state, batch, jax.random.key(seed))[1]["loss"]) for seed in range(8)]
    assert len(np.unique(losses)) > 2
    assert losses[0] == float(step(state, batch, jax.random.key(0))[1]["loss"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": 0}, "--columns is 0; it must be at least 1"),
        ({"dropout": (0.1,)}, "they must have the same length"),
        ({"local_drop": 1.5}, "--local_drop is 1.5; it must be from 0.0 to 1.0"),
        ({"channels": ()}, "at least one block"),
    ],
)
def test_invalid_configs_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SMOKE, **changes)
