"""Tests the augmentation, weight decay and networks of lenet_mnist."""

import dataclasses

import jax
import numpy as np
import pytest

from experiments import lenet_mnist as experiment_file
from lecture_models.data.lookup import Library
from lecture_models.metrics.cost import count_parameters

SMOKE = experiment_file.Config(**experiment_file.SMOKE)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return Library(tmp_path_factory.mktemp("no_data"), print)


def first_state(config, library):
    experiment = experiment_file.build(config, library)
    state = jax.jit(experiment.init)(jax.random.key(0))
    return jax.jit(experiment.step)(state, next(experiment.batches(0)), jax.random.key(1))


@pytest.mark.slow
def test_shifts_change_the_first_step_and_are_off_by_default(library):
    assert experiment_file.Config().shift == 0
    _, unshifted = first_state(SMOKE, library)
    _, shifted = first_state(dataclasses.replace(SMOKE, shift=3), library)
    assert float(unshifted["loss"]) != float(shifted["loss"])


@pytest.mark.slow
def test_biases_do_not_decay_and_kernels_do(library):
    config = dataclasses.replace(SMOKE, plain_sgd=True, warmup_steps=0, learning_rate=0.1)
    decayed, plain = (
        first_state(dataclasses.replace(config, weight_decay=decay), library)[0].params["C3"]
        for decay in (0.5, 0.0)
    )
    np.testing.assert_allclose(decayed["bias"], plain["bias"], atol=1e-6)
    assert np.abs(decayed["kernel"] - plain["kernel"]).max() > 1e-3


def test_the_network_of_1998_has_its_60000_parameters(library):
    counts = {}
    for changes in ({"original_architecture": True}, {"tanh": True}, {}):
        experiment = experiment_file.build(dataclasses.replace(SMOKE, **changes), library)
        state = jax.eval_shape(experiment.init, jax.random.key(0))
        counts[tuple(changes)] = count_parameters(state.params)
    assert counts == {("original_architecture",): 60_000, ("tanh",): 61_706, (): 61_706}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shift": -1}, "--shift is -1; it must be at least 0"),
        ({"decay_at": (1.5,)}, "--decay_at is 1.5; it must be fractions"),
        ({"dtype": "int8"}, "--dtype is 'int8'; allowed: float32 or bfloat16"),
    ],
)
def test_invalid_configs_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SMOKE, **changes)
