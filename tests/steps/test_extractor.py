import hashlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from lecture_models.data import digits
from lecture_models.models.lenet import LeNet5
from lecture_models.steps import extractor
from lecture_models.steps.extractor import DEFAULT_TRAINING, ExtractorTraining, fit, parameter_hash

TRAINING = ExtractorTraining(num_steps=60, batch_size=16, peak_learning_rate=0.05, seed=3)


class Softmax(nn.Module):
    @nn.compact
    def __call__(self, images, training=False):
        flat = images.reshape(len(images), -1)
        return nn.Dense(3, kernel_init=nn.initializers.zeros)(flat), {}


@pytest.fixture(scope="module")
def stripes():
    """Returns images with one bright row of three, whose index is their class."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 50).astype(np.int32)
    images = rng.normal(scale=0.1, size=(50, 3, 3, 1)).astype(np.float32)
    images[np.arange(50), labels] += 1.0
    return images, labels


def test_fit_learns_to_tell_the_stripes_apart(stripes):
    params = fit(Softmax(), *stripes, TRAINING)
    logits, _ = Softmax().apply({"params": params}, stripes[0])
    assert (np.asarray(logits).argmax(-1) == stripes[1]).mean() > 0.95


@pytest.mark.slow
def test_fit_gives_the_same_parameters_only_for_the_same_seed(stripes):
    first, again, other = (
        parameter_hash(fit(Softmax(), *stripes, TRAINING._replace(seed=seed))) for seed in (3, 3, 4)
    )
    assert first == again != other


@pytest.mark.slow
def test_fit_is_adam_on_the_mean_cross_entropy_and_nothing_else():
    """Compares with Adam by hand: these parameters define metrics, so no step may add anything."""
    train = digits.read().train
    training = DEFAULT_TRAINING._replace(num_steps=3)
    model = LeNet5(num_classes=10, nonlinearity=nn.relu)
    init_key, _ = jax.random.split(jax.random.key(training.seed))
    params = model.init(init_key, jnp.asarray(train.images[:1]))["params"]

    @jax.jit
    def gradient(params, images, labels):
        def loss(params):
            log_p = jax.nn.log_softmax(model.apply({"params": params}, images)[0])
            return -jnp.take_along_axis(log_p, labels[:, None], axis=1).mean()

        return jax.grad(loss)(params)

    first = second = jax.tree.map(jnp.zeros_like, params)
    for step in range(training.num_steps):
        chosen = extractor._batch_indices(len(train.labels), training, step)
        found = gradient(params, train.images[chosen], train.labels[chosen])
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, found)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, found)
        rate, count = float(training.schedule(step)), step + 1
        params = jax.tree.map(
            lambda p, m, v, rate=rate, count=count: (
                p - rate * (m / (1 - 0.9**count)) / (jnp.sqrt(v / (1 - 0.999**count)) + 1e-8)
            ),
            params,
            first,
            second,
        )
    for one, other in zip(
        jax.tree.leaves(params),
        jax.tree.leaves(fit(model, train.images, train.labels, training)),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, atol=1e-4)  # Of 8e-3 a step.


def test_every_step_of_fit_has_a_key_of_its_own(stripes, monkeypatch):
    keys = []

    def record(model_apply, optimizer, state, batch, key):
        jax.debug.callback(lambda data: keys.append(tuple(data.tolist())), jax.random.key_data(key))
        return state, {}

    monkeypatch.setattr(extractor, "classifier_step", record)
    fit(Softmax(), *stripes, TRAINING)
    jax.effects_barrier()
    assert len(keys) == len(set(keys)) == TRAINING.num_steps


def test_an_epoch_of_batches_holds_no_example_twice():
    epochs = [
        np.concatenate([extractor._batch_indices(50, TRAINING, step) for step in steps])
        for steps in (range(3), range(3, 6))
    ]
    assert [len(set(epoch)) for epoch in epochs] == [48, 48]
    assert (epochs[0] != epochs[1]).any()


def test_the_rate_rises_for_a_tenth_of_the_steps_and_ends_at_zero():
    schedule = TRAINING.schedule
    rates = [float(schedule(step)) for step in (0, 3, 6, 33, 60)]
    assert rates == pytest.approx([0.0, 0.025, 0.05, 0.025, 0.0], abs=1e-7)


def test_the_description_names_every_number_of_the_training():
    assert TRAINING.description == "60 steps of 16, Adam, warm-up and cosine from 0.05, seed 3"


@pytest.mark.parametrize(("num_images", "num_labels"), [(15, 15), (50, 49)])
def test_fit_refuses_less_than_a_batch_or_unpaired_labels(stripes, num_images, num_labels):
    images, labels = stripes
    with pytest.raises(ValueError, match=f"{num_images} images and {num_labels} labels"):
        fit(Softmax(), images[:num_images], labels[:num_labels], TRAINING)


def test_the_hash_is_of_sorted_paths_shapes_and_little_endian_float32():
    params = {"b": {"kernel": jnp.ones((2, 1))}, "a": np.float32([0.5])}
    told = b"a(1,)" + np.array([0.5], "<f4").tobytes() + b"b/kernel(2, 1)"
    told += np.ones(2, "<f4").tobytes()
    assert parameter_hash(params) == hashlib.sha256(told).hexdigest()


def test_the_hash_sees_the_smallest_change_of_a_value():
    params = {"a": np.ones(3, np.float32)}
    changed = {"a": np.float32([1, 1, np.nextafter(np.float32(1), np.float32(2))])}
    assert parameter_hash(params) != parameter_hash(changed)
