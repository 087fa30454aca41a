"""Tests the phases, networks and alarms of deep_ae_mnist."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import deep_ae_mnist
from lecture_models.data.lookup import Library
from lecture_models.evaluators import autoencoder
from lecture_models.models import rbm
from lecture_models.training.checkpoint import digest

SMOKE = deep_ae_mnist.Config(**deep_ae_mnist.SMOKE)
PLAIN = dataclasses.replace(SMOKE, sigmoid=False, pretrain_steps=0)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return Library(tmp_path_factory.mktemp("data"), print)


def run(experiment, num_steps, state=None):
    """Returns the state after each step, and each step's squared error."""
    state = experiment.init(jax.random.key(0)) if state is None else state
    batches, states, errors = experiment.batches(0), [state], []
    steps = {phase.first_step: jax.jit(phase.step) for phase in experiment.phases}
    for index in range(num_steps):
        for phase in experiment.phases:
            if phase.first_step == index:
                state, step = phase.enter(state), steps[index]
        key = jax.random.fold_in(jax.random.key(1), index)
        state, metrics = step(state, next(batches), key)
        states.append(state)
        errors.append(float(metrics["squared_error"]))
    return states, errors


@pytest.fixture(scope="module")
def pretrained(library):
    experiment = deep_ae_mnist.build(SMOKE, library)
    return experiment, run(experiment, SMOKE.num_steps)[0]


@pytest.mark.slow
def test_each_phase_of_pretraining_trains_one_machine_and_nothing_else(pretrained):
    _, states = pretrained
    for index in range(3):
        before, after = states[3 * index], states[3 * index + 3]
        moved = [digest(a) != digest(b) for a, b in zip(before.rbms, after.rbms, strict=True)]
        assert moved == [other == index for other in range(3)]
        assert digest(before.autoencoder) == digest(after.autoencoder)


def test_fine_tuning_begins_with_the_machines_unrolled(pretrained):
    experiment, states = pretrained
    entered = experiment.phases[-1].enter(states[9])
    expected = rbm.unroll([machine.params for machine in states[9].rbms])
    assert digest(entered.autoencoder.params) == digest(expected)
    assert digest(entered.rbms) == digest(states[9].rbms)


@pytest.mark.slow
def test_before_fine_tuning_the_unrolled_machines_are_evaluated(pretrained):
    experiment, states = pretrained
    waiting = experiment.evaluate(states[9], jax.random.key(0))
    entered = states[9]._replace(autoencoder=experiment.phases[-1].enter(states[9]).autoencoder)
    assert waiting["squared_error"] == experiment.evaluate(entered, None)["squared_error"]
    fine_tuned = experiment.evaluate(states[-1], None)
    assert fine_tuned["squared_error"] != waiting["squared_error"]


def test_only_the_linear_code_has_the_lower_rate():
    for sigmoid_code, last in ((False, rbm.LINEAR), (True, rbm.LOGISTIC)):
        config = dataclasses.replace(SMOKE, sigmoid_code=sigmoid_code)
        trainings = deep_ae_mnist.make_rbm_trainings(config, 784)
        assert [training.units for training in trainings] == [rbm.LOGISTIC, rbm.LOGISTIC, last]
        sizes = [(training.num_visible, training.num_hidden) for training in trainings]
        assert sizes == [(784, 16), (16, 8), (8, 4)]
        rates = []
        for training in trainings:
            params = rbm.init_rbm(jax.random.key(0), 2, 2)._replace(weights=jnp.zeros((2, 2)))
            gradient = jax.tree.map(jnp.ones_like, params)
            updates, _ = training.optimizer.update(
                gradient, training.optimizer.init(params), params
            )
            rates.append(-float(updates.hidden_bias[0]))
        assert rates == pytest.approx([0.1, 0.1, 0.1 if sigmoid_code else 0.001])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "encoder"),
    [
        ({"hidden": (), "sigmoid_code": True}, ["Dense_0"]),
        ({}, ["Dense_0", "Dense_1", "Dense_2"]),
        ({"channels": (4, 4)}, ["Conv_0", "Conv_1", "Dense_0"]),
    ],
    ids=["linear and sigmoid", "deep, fully connected", "rectified, convolutional"],
)
def test_the_lectures_three_generations_learn(library, changes, encoder):
    config = dataclasses.replace(PLAIN, num_steps=60, learning_rate=0.01, **changes)
    experiment = deep_ae_mnist.build(config, library)
    states, errors = run(experiment, 60)
    assert sorted(states[0].autoencoder.params["encoder"]) == encoder
    assert np.mean(errors[-5:]) < 0.9 * np.mean(errors[:5])
    assert states[0].rbms == ()  # Without pre-training there are no machines.


def test_a_sigmoid_code_lies_between_zero_and_one(library):
    images = library.load("digits").test.images
    config = dataclasses.replace(PLAIN, hidden=(), sigmoid_code=True)
    encoder, _ = deep_ae_mnist.make_networks(config, (28, 28, 1))
    codes, _ = encoder.init_with_output(jax.random.key(0), jnp.asarray(images))
    assert 0.0 < float(codes.min()) < float(codes.max()) < 1.0


@pytest.mark.slow
def test_cross_entropy_changes_the_training_but_not_the_metric(library):
    ends = [
        run(deep_ae_mnist.build(dataclasses.replace(PLAIN, cross_entropy=chosen), library), 3)
        for chosen in (False, True)
    ]
    # The weights are equal before the first step; two programs may round the error differently.
    assert ends[0][1][0] == pytest.approx(ends[1][1][0], rel=1e-6)
    assert digest(ends[0][0][-1]) != digest(ends[1][0][-1])


def test_validation_images_are_trained_on_only_when_asked_for(library):
    dataset = library.load("digits")
    held_out = len(dataset.validation.images)
    counts = [
        deep_ae_mnist.build(
            dataclasses.replace(PLAIN, train_on_validation=chosen), library
        ).batches.num_examples
        for chosen in (False, True)
    ]
    assert counts == [len(dataset.train.images), len(dataset.train.images) + held_out]


@pytest.mark.slow
def test_an_error_above_pca_raises_an_alarm_only_after_the_last_step(library):
    experiment = deep_ae_mnist.build(dataclasses.replace(PLAIN, num_steps=2), library)
    states, _ = run(experiment, 2)
    alarms = [experiment.evaluate(state, None)["alarm_above_pca"] for state in states[1:]]
    assert alarms[0] == ""
    assert "after the last step" in alarms[1]


def few(split, count):
    return split.select(slice(count))


@pytest.mark.parametrize(("code_dim", "components"), [(3, 3), (30, 13)])
def test_pca_has_as_many_components_as_the_code_or_as_the_pictures_allow(
    library, code_dim, components
):
    dataset = library.load("digits")
    small = dataset._replace(train=few(dataset.train, 9), validation=few(dataset.validation, 4))
    reference = autoencoder.fit_reference(small, code_dim)
    assert reference.components.shape == (784, components)


def test_a_code_of_one_unit_can_be_drawn(library):
    codes = np.linspace(-1.0, 1.0, 20, dtype=np.float32)[:, None]
    picture = autoencoder.code_picture(codes, library.load("digits"))
    assert picture.ndim == 3
    assert picture.min() < picture.max()


@pytest.mark.parametrize("changes", [{"sigmoid": False}, {"channels": (4, 4)}])
def test_pretraining_of_other_networks_is_refused(changes):
    with pytest.raises(ValueError, match="--pretrain_steps is 3; it must be 0 with --channels"):
        dataclasses.replace(SMOKE, **changes)


def test_pretraining_must_leave_steps_to_fine_tune():
    with pytest.raises(ValueError, match="--num_steps is 9; .* it must be more than 9"):
        dataclasses.replace(SMOKE, num_steps=9)
