"""What fractalnet_cifar10 adds to the parts that it composes."""

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


def test_the_deepest_column_is_judged_by_its_own_weights(library):
    experiment = experiment_file.build(SMOKE, library)
    state = jax.jit(experiment.init)(jax.random.key(0))
    name = "validation_error_percent_deepest"
    found = experiment.evaluate(state, jax.random.key(0))
    # Without the weights of the other column the deepest is what it was, the whole net is not.
    params = {
        layer: jax.tree.map(lambda x, lost="_column1_" in layer: 0.0 * x if lost else x, value)
        for layer, value in state.params.items()
    }
    lost = experiment.evaluate(state._replace(params=params), jax.random.key(0))
    assert lost[name] == found[name]
    assert lost["validation_cross_entropy"] != found["validation_cross_entropy"]


def test_images_that_do_not_halve_often_enough_are_refused(library):
    config = dataclasses.replace(SMOKE, channels=(4, 4, 4), dropout=(0.0,) * 3)
    with pytest.raises(DataError, match="images of 28x28x1: .* multiples of 8"):
        experiment_file.build(config, library)


def test_drop_path_is_drawn_anew_in_each_step(library):
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
        ({"dropout": (0.1,)}, "one of each for every block"),
        ({"local_drop": 1.5}, "--local_drop is 1.5; it must be from 0.0 to 1.0"),
        ({"channels": ()}, "at least one block"),
    ],
)
def test_what_cannot_be_trained_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SMOKE, **changes)
