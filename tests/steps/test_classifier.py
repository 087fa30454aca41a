import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from lecture_models.nn.augmentation import random_crop
from lecture_models.steps.classifier import (
    classifier_step,
    init_classifier,
    mean_cross_entropy,
    step_keys,
)

SGD = optax.sgd(0.1)


class Softmax(nn.Module):
    dropout_rate: float = 0.0
    structure: bool = False

    @nn.compact
    def __call__(self, images, training=False):
        flat = images.reshape(len(images), -1)
        flat = nn.Dropout(self.dropout_rate, deterministic=not training)(flat)
        if self.structure and training:
            flat = flat * jax.random.bernoulli(self.make_rng("structure"), 0.5, (1, 9))
        early = nn.Dense(3, kernel_init=nn.initializers.zeros, name="early")(flat)
        return nn.Dense(3, kernel_init=nn.initializers.zeros, name="last")(flat), {"early": early}


class Normalized(nn.Module):
    @nn.compact
    def __call__(self, images, training=False):
        flat = images.reshape(len(images), -1)
        flat = nn.BatchNorm(use_running_average=not training, momentum=0.9)(flat)
        return nn.Dense(3)(flat), {}


@pytest.fixture(scope="module")
def batch():
    """Returns images with one bright row of three, whose index is their class."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 50).astype(np.int32)
    images = rng.normal(scale=0.1, size=(50, 3, 3, 1)).astype(np.float32)
    images[np.arange(50), labels] += 1.0
    return {"images": jnp.asarray(images), "labels": jnp.asarray(labels)}


def start(model, batch):
    return init_classifier(model.init, SGD, batch["images"], jax.random.key(0))


def one_step(model, batch, seed=1, **options):
    state = start(model, batch)
    return classifier_step(model.apply, SGD, state, batch, jax.random.key(seed), **options)


def kernel(state, name="last"):
    return np.asarray(state.params[name]["kernel"])


@pytest.mark.slow
def test_an_undecided_classifier_loses_the_log_of_the_number_of_classes(batch):
    _, metrics = one_step(Softmax(), batch)
    assert float(metrics["loss"]) == pytest.approx(math.log(3), abs=1e-6)
    wrong = np.asarray(batch["labels"] != 0).mean()
    assert float(metrics["error_percent"]) == pytest.approx(100.0 * wrong)


def test_a_step_follows_the_gradient_of_softmax_regression(batch):
    after, _ = one_step(Softmax(), batch)
    error = np.full((50, 3), 1 / 3) - np.eye(3)[np.asarray(batch["labels"])]
    expected = -0.1 * np.asarray(batch["images"]).reshape(50, 9).T @ error / 50
    np.testing.assert_allclose(kernel(after), expected, atol=1e-6)
    assert int(after.step) == 1


def test_training_tells_the_stripes_apart(batch):
    step = jax.jit(functools.partial(classifier_step, Normalized().apply, SGD))
    state = start(Normalized(), batch)
    first = None
    for index in range(60):
        state, metrics = step(state, batch, jax.random.key(index))
        first = first or metrics
    assert float(metrics["loss"]) < 0.3 * float(first["loss"])
    assert float(metrics["error_percent"]) == 0.0


@pytest.mark.parametrize("model", [Softmax(dropout_rate=0.5), Softmax(structure=True)])
def test_the_key_reaches_dropout_and_structure(model, batch):
    ends = [kernel(one_step(model, batch, seed)[0]) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(ends[0], ends[1])
    assert (ends[0] != ends[2]).any()


def test_what_a_step_draws_is_drawn_with_keys_of_its_own():
    keys = [tuple(np.asarray(jax.random.key_data(key))) for key in step_keys(jax.random.key(0))]
    assert len(set(keys)) == len(keys) == 3


def test_batch_statistics_move_in_training_alone(batch):
    model = Normalized()
    state = start(model, batch)
    before = jax.tree.map(np.asarray, state.batch_stats)
    _, unchanged = model.apply(state.variables, batch["images"], mutable=["batch_stats"])
    jax.tree.map(np.testing.assert_array_equal, before, unchanged["batch_stats"])
    after, _ = classifier_step(model.apply, SGD, state, batch, jax.random.key(1))
    means = np.asarray(batch["images"]).reshape(50, 9).mean(0)
    found = after.batch_stats["BatchNorm_0"]["mean"]
    np.testing.assert_allclose(found, 0.1 * means, atol=1e-6)


def test_a_net_without_batch_norm_has_no_statistics(batch):
    after, _ = one_step(Softmax(), batch)
    assert start(Softmax(), batch).batch_stats == after.batch_stats == {}


@pytest.mark.slow
def test_augmentation_in_the_step_is_that_of_its_key_outside(batch):
    augment = functools.partial(random_crop, padding=1, fill=np.zeros(1, np.float32))
    inside, _ = jax.jit(functools.partial(one_step, Softmax(), augment=augment))(batch)
    key = step_keys(jax.random.key(1)).augmentation
    outside, _ = one_step(Softmax(), batch | {"images": augment(key, batch["images"])})
    np.testing.assert_allclose(kernel(inside), kernel(outside), atol=1e-7)
    assert (kernel(inside) != kernel(one_step(Softmax(), batch)[0])).any()


def test_auxiliary_heads_learn_by_their_weight_and_are_not_in_the_metric(batch):
    alone, metrics = one_step(Softmax(), batch)
    both, same = one_step(Softmax(), batch, auxiliary={"early": 0.3})
    assert not kernel(alone, "early").any()
    np.testing.assert_allclose(kernel(both, "early"), 0.3 * kernel(both), atol=1e-7)
    np.testing.assert_array_equal(kernel(alone), kernel(both))
    assert float(same["loss"]) == float(metrics["loss"])


@pytest.mark.slow
def test_cross_entropy_of_a_sure_answer_is_0_or_the_distance_of_logits():
    logits = jnp.array([[50.0, 0.0], [50.0, 0.0]])
    assert float(mean_cross_entropy(logits, jnp.array([0, 0]))) == pytest.approx(0.0, abs=1e-6)
    assert float(mean_cross_entropy(logits, jnp.array([0, 1]))) == pytest.approx(25.0)
