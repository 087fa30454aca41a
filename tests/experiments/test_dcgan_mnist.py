import dataclasses

import jax
import numpy as np
import pytest

from experiments import dcgan_mnist
from experiments.dcgan_mnist import SMOKE, Config, few_images_alarm, make_optimizer
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library


def config(**fields):
    return Config(**SMOKE | fields)


def build(own):
    return dcgan_mnist.build(own, Library(None, lambda line: None))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"loss": "hinge loss"}, "--loss is 'hinge loss'; allowed: non_saturating, "),
        ({"widths": ()}, "--widths is empty"),
        ({"critic_steps": 0}, "critic_steps"),
        ({"slope_penalty": 10.0, "batch_norm": True}, "--slope_penalty .* give --nobatch_norm"),
        ({"average_decay": 1.0}, "average_decay"),
    ],
)
def test_bad_options_are_refused_in_one_line(fields, message):
    with pytest.raises(ValueError, match=message) as refused:
        config(**fields)
    assert "\n" not in str(refused.value)


def test_images_that_cannot_be_halved_often_enough_are_refused():
    with pytest.raises(DataError, match="images are 28x28; with --widths of 3 numbers"):
        build(config(widths=(4, 4, 4)))


@pytest.mark.parametrize(("count", "alarmed"), [(999, True), (1_000, False)])
def test_fewer_than_a_thousand_training_images_raise_an_alarm(count, alarmed):
    assert few_images_alarm(count).startswith("999 training images") == alarmed


def test_the_discriminator_can_have_a_rate_and_a_bound_of_its_own():
    params, gradients = {"w": np.full(2, 0.3, np.float32)}, {"w": np.array([1.0, -1.0], np.float32)}
    moved = {}
    for of_discriminator in (False, True):
        own = config(learning_rate=0.1, discriminator_rate_ratio=4.0, weight_clip=0.5)
        optimizer = make_optimizer(own, of_discriminator)
        updates, _ = optimizer.update(gradients, optimizer.init(params), params)
        moved[of_discriminator] = np.asarray(params["w"] + updates["w"])
    np.testing.assert_allclose(moved[False], [0.2, 0.4], rtol=1e-4)
    np.testing.assert_allclose(moved[True], [-0.1, 0.5], rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    "fields",
    [
        {"penalized_images": 3, "batch_norm": True, "average_decay": 0.9},
        {"loss": "hinge", "spectral_norm": True, "gradient_penalty": 0.0, "cosine": False},
        {"loss": "wasserstein", "weight_clip": 0.01, "critic_steps": 2, "uniform_noise": True},
        {"loss": "wasserstein", "slope_penalty": 10.0, "critic_steps": 2},
    ],
    ids=["r1", "hinge", "clip", "slope"],
)
def test_options_compose_to_a_step_that_moves_both_players(fields):
    experiment = build(config(**fields))
    state = experiment.init(jax.random.key(0))
    batch = next(experiment.batches(0))
    assert len(batch["images"]) == 8 * fields.get("critic_steps", 1)
    after, metrics = jax.jit(experiment.step)(state, batch, jax.random.key(1))
    assert all(np.isfinite(value) for value in metrics.values())
    for before, now in zip(state[:2], after[:2], strict=True):
        first = jax.tree.leaves(before.params)[0]
        assert (np.asarray(first) != np.asarray(jax.tree.leaves(now.params)[0])).any()
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(now))


@pytest.mark.slow
def test_samples_depend_on_neither_their_batch_nor_running_statistics():
    experiment = build(config(average_decay=0.9))
    state = experiment.init(jax.random.key(0))
    state, _ = jax.jit(experiment.step)(state, next(experiment.batches(0)), jax.random.key(1))
    few = np.asarray(experiment.sample(state, jax.random.key(2), 3))
    assert few.shape == (3, 28, 28, 1)
    shifted = jax.tree.map(lambda value: value + 1.0, state.generator.variables)
    moved = state._replace(generator=state.generator._replace(variables=shifted))
    np.testing.assert_array_equal(experiment.sample(moved, jax.random.key(2), 3), few)


@pytest.mark.slow
def test_told_networks_draw_and_judge_classes():
    own = config(conditional=True, hidden=())
    experiment = build(own)
    state = experiment.init(jax.random.key(0))
    batch = next(experiment.batches(0))
    assert batch["labels"].shape == (8,)
    state, _ = jax.jit(experiment.step)(state, batch, jax.random.key(1))
    results = experiment.evaluate(state, jax.random.key(2))
    assert results["classes"].pixels.shape == (100, 28, 28, 1)
    assert 0.0 <= results["class_accuracy"] <= 1.0
    assert "arithmetic" not in results
    assert state.generator.params["seed"]["kernel"].shape[0] == own.latent_dim + 10
    plain = build(dataclasses.replace(own, conditional=False))
    assert "labels" not in next(plain.batches(0))
