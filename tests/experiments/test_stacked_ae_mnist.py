"""Tests the phases and the alarm of stacked_ae_mnist."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import stacked_ae_mnist
from lecture_models.data.lookup import Library
from lecture_models.training.checkpoint import digest

LENGTH = 120
CONFIG = stacked_ae_mnist.Config(
    dataset="digits",
    batch_size=64,
    hidden=(32, 8),
    pretrain_steps=LENGTH,
    num_steps=3 * LENGTH,
    learning_rate=0.02,
)


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    library = Library(tmp_path_factory.mktemp("data"), print)
    return stacked_ae_mnist.build(CONFIG, library)


@pytest.fixture(scope="module")
def trained(experiment):
    """Returns the states at the start and after each phase, and the errors of each phase."""
    state, batches = experiment.init(jax.random.key(0)), experiment.batches(0)
    states, errors = [state], []
    for phase in experiment.phases:
        state, step = phase.enter(state), jax.jit(phase.step)
        errors.append([])
        for _ in range(LENGTH):
            state, metrics = step(state, next(batches), jax.random.key(1))
            errors[-1].append(float(metrics["squared_error"]))
        states.append(state)
    return states, errors


def changed(before, after):
    return [digest(a) != digest(b) for a, b in zip(before.layers, after.layers, strict=True)]


@pytest.mark.slow
def test_pretraining_a_layer_keeps_the_others_fixed(trained):
    states, _ = trained
    assert changed(states[0], states[1]) == [True, False]
    assert changed(states[1], states[2]) == [False, True]
    assert changed(states[2], states[3]) == [True, True]


@pytest.mark.slow
def test_every_phase_lowers_the_error_of_the_whole_net(experiment, trained):
    states, _ = trained
    errors = [experiment.evaluate(state, None)["squared_error"] for state in states]
    assert errors[0] > errors[1] > errors[2] > errors[3]
    assert experiment.evaluate(states[-1], None)["alarm_rise"] == ""


def test_each_phase_lowers_the_error_that_it_trains_on(trained):
    _, errors = trained
    for phase in errors:
        assert np.mean(phase[-10:]) < np.mean(phase[:10])


def test_the_state_holds_the_error_at_the_start_of_each_phase(experiment, trained):
    states, _ = trained
    at_starts = [experiment.evaluate(state, None)["squared_error"] for state in states[:3]]
    assert states[-1].errors.tolist() == pytest.approx(at_starts, rel=1e-4)
    text = experiment.evaluate(states[-1], None)["phases"]
    assert [part.split()[0] for part in text.split(", ")] == ["start", "layer", "layer", "now"]


@pytest.mark.parametrize(
    ("errors", "now", "rises"),
    [
        ([9.0, 5.0, 0.0], 6.0, ""),  # During layer 2: the phase has not ended.
        ([9.0, 10.0, 0.0], 6.0, "from 9.00 to 10.00"),
        ([9.0, 5.0, 4.0], 4.5, "from 4.00 to 4.50"),
        ([9.0, 5.0, 4.0], 3.0, ""),
    ],
)
def test_a_phase_that_increases_the_error_raises_an_alarm(trained, errors, now, rises):
    state = trained[0][0]._replace(errors=jnp.array(errors))
    alarm = stacked_ae_mnist.describe_phases(CONFIG, state, now)["alarm_rise"]
    assert alarm == (f"squared error rises {rises}" if rises else "")


def test_a_stack_without_layers_is_refused():
    with pytest.raises(ValueError, match="--hidden is empty"):
        dataclasses.replace(CONFIG, hidden=())


def test_pretraining_must_leave_steps_to_fine_tune():
    with pytest.raises(ValueError, match="--num_steps is 240; .* it must be more than 240"):
        dataclasses.replace(CONFIG, num_steps=2 * LENGTH)
