import hashlib
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from lecture_models.steps import classifier
from lecture_models.steps.classifier import Recipe, classifier_step, init_classifier, parameter_hash
from lecture_models.steps.descent import init_train_state

RECIPE = Recipe(num_steps=60, batch_size=16, peak_learning_rate=0.05, seed=3)


class Softmax(nn.Module):
    dropout_rate: float = 0.0

    @nn.compact
    def __call__(self, images):
        flat = images.reshape(len(images), -1)
        flat = nn.Dropout(self.dropout_rate, deterministic=False)(flat)
        return nn.Dense(3, kernel_init=nn.initializers.zeros)(flat), {}


@pytest.fixture(scope="module")
def stripes():
    """Images with one bright row of three, which is their class."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 50).astype(np.int32)
    images = rng.normal(scale=0.1, size=(50, 3, 3, 1)).astype(np.float32)
    images[np.arange(50), labels] += 1.0
    return images, labels


def _first_step(model, stripes, key, optimizer):
    images, labels = jnp.asarray(stripes[0]), jnp.asarray(stripes[1])
    state = init_classifier(model.init, optimizer, images, jax.random.key(0))
    batch = {"images": images, "labels": labels}
    return state, classifier_step(model.apply, optimizer, state, batch, key)


def test_an_undecided_classifier_loses_the_log_of_the_number_of_classes(stripes):
    _, (_, metrics) = _first_step(Softmax(), stripes, jax.random.key(1), optax.sgd(0.1))
    assert float(metrics["loss"]) == pytest.approx(math.log(3), abs=1e-6)
    assert float(metrics["accuracy"]) == pytest.approx((stripes[1] == 0).mean())


def test_a_step_follows_the_gradient_of_softmax_regression(stripes):
    state, (after, _) = _first_step(Softmax(), stripes, jax.random.key(1), optax.sgd(0.1))
    images, labels = stripes
    error = np.full((50, 3), 1 / 3) - np.eye(3)[labels]
    expected = -0.1 * images.reshape(50, 9).T @ error / 50
    before = state.params["Dense_0"]["kernel"]
    np.testing.assert_allclose(after.params["Dense_0"]["kernel"] - before, expected, atol=1e-6)


def test_the_key_reaches_dropout(stripes):
    model, optimizer = Softmax(dropout_rate=0.5), optax.sgd(0.1)
    init_key = jax.random.key(0)
    images = jnp.asarray(stripes[0])
    params_key, dropout_key = jax.random.split(init_key)
    params = model.init({"params": params_key, "dropout": dropout_key}, images)["params"]
    state = init_train_state(optimizer, params)
    batch = {"images": images, "labels": jnp.asarray(stripes[1])}
    ends = [
        parameter_hash(
            classifier_step(model.apply, optimizer, state, batch, jax.random.key(seed))[0].params
        )
        for seed in (1, 1, 2)
    ]
    assert ends[0] == ends[1] != ends[2]


def test_fit_learns_to_tell_the_stripes_apart(stripes):
    params = classifier.fit(Softmax(), *stripes, RECIPE)
    logits, _ = Softmax().apply({"params": params}, stripes[0])
    assert (np.asarray(logits).argmax(-1) == stripes[1]).mean() > 0.95


def test_fit_gives_the_same_parameters_for_the_same_seed_alone(stripes):
    first, again, other = (
        parameter_hash(classifier.fit(Softmax(), *stripes, RECIPE._replace(seed=seed)))
        for seed in (3, 3, 4)
    )
    assert first == again != other


def test_every_step_of_fit_has_a_key_of_its_own(stripes, monkeypatch):
    keys = []

    def record(model_apply, optimizer, state, batch, key):
        jax.debug.callback(lambda data: keys.append(tuple(data.tolist())), jax.random.key_data(key))
        return state, {}

    monkeypatch.setattr(classifier, "classifier_step", record)
    classifier.fit(Softmax(), *stripes, RECIPE)
    jax.effects_barrier()
    assert len(keys) == len(set(keys)) == RECIPE.num_steps


def test_an_epoch_of_batches_holds_no_example_twice():
    epochs = [
        np.concatenate([classifier._batch_indices(50, RECIPE, step) for step in steps])
        for steps in (range(3), range(3, 6))
    ]
    assert [len(set(epoch)) for epoch in epochs] == [48, 48]
    assert (epochs[0] != epochs[1]).any()


def test_the_rate_rises_for_a_tenth_of_the_steps_and_ends_at_zero():
    schedule = RECIPE.schedule
    rates = [float(schedule(step)) for step in (0, 3, 6, 33, 60)]
    assert rates == pytest.approx([0.0, 0.025, 0.05, 0.025, 0.0], abs=1e-7)


def test_the_protocol_names_every_number_of_the_recipe():
    assert RECIPE.protocol == "60 steps of 16, Adam, warm-up and cosine from 0.05, seed 3"


@pytest.mark.parametrize(("num_images", "num_labels"), [(15, 15), (50, 49)])
def test_fit_refuses_less_than_a_batch_or_unpaired_labels(stripes, num_images, num_labels):
    images, labels = stripes
    with pytest.raises(ValueError, match=f"{num_images} images and {num_labels} labels"):
        classifier.fit(Softmax(), images[:num_images], labels[:num_labels], RECIPE)


def test_the_hash_is_of_sorted_paths_shapes_and_little_endian_float32():
    params = {"b": {"kernel": jnp.ones((2, 1))}, "a": np.float32([0.5])}
    told = b"a(1,)" + np.array([0.5], "<f4").tobytes() + b"b/kernel(2, 1)"
    told += np.ones(2, "<f4").tobytes()
    assert parameter_hash(params) == hashlib.sha256(told).hexdigest()


def test_the_hash_sees_the_smallest_change_of_a_value():
    params = {"a": np.ones(3, np.float32)}
    changed = {"a": np.float32([1, 1, np.nextafter(np.float32(1), np.float32(2))])}
    assert parameter_hash(params) != parameter_hash(changed)
