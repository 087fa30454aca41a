"""Tests what all experiments that train classifiers share, with a net that compiles quickly."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from lecture_models.data import digits
from lecture_models.data.dataset import DataError, Split
from lecture_models.data.lookup import Library
from lecture_models.evaluators import classification as evaluation
from lecture_models.nn.augmentation import channel_moments
from lecture_models.steps.classifier import step_keys
from lecture_models.tasks import classification as shared
from lecture_models.tasks.classifier_config import ClassifierConfig, load, momentum_sgd, schedule

SIZE = 8


class Small(nn.Module):
    """Has a convolution, the means of its maps, and logits."""

    @nn.compact
    def __call__(self, images, training=False):
        if images.shape[1] > SIZE:
            raise ValueError(f"sides are {images.shape[1]}; at most {SIZE}")
        x = nn.relu(nn.Conv(4, (3, 3), name="conv1")(images))
        return nn.Dense(10, name="fc")(x.mean((1, 2))), {"conv1": x}


@pytest.fixture(scope="module")
def dataset():
    return digits.read(SIZE)


def build(dataset, num_steps=2, train_on_validation=False, **options):
    recipe = ClassifierConfig(
        batch_size=16, num_steps=num_steps, train_on_validation=train_on_validation
    )
    return shared.make_experiment(dataset, Small(), optax.sgd(0.1), recipe, **options)


@pytest.fixture(scope="module")
def trained(dataset):
    """Returns the experiment, and its states before and after its two steps."""
    experiment = build(dataset)
    states = [jax.jit(experiment.init)(jax.random.key(0))]
    step = jax.jit(experiment.step)
    for number, batch in zip(range(2), experiment.batches(0), strict=False):
        states.append(step(states[-1], batch, jax.random.key(number))[0])
    return experiment, states


@pytest.mark.slow
def test_the_test_split_is_looked_at_after_the_last_step_alone(trained):
    experiment, states = trained
    for state in states[:2]:
        found = experiment.evaluate(state, jax.random.key(0))
        assert "validation_error_percent" in found
        assert not [name for name in found if name.startswith("test")]
    last = experiment.evaluate(states[2], jax.random.key(0))
    assert {"test_error_percent", "test_top5_error_percent", "test_confusion"} <= set(last)
    assert last.keys() >= found.keys()


@pytest.mark.slow
def test_errors_are_those_of_the_net_on_the_standardized_images_of_each_split(trained, dataset):
    experiment, states = trained
    # Larger weights than two steps give: the splits' scores are far apart.
    state = states[2]._replace(params=jax.tree.map(lambda leaf: 10.0 * leaf, states[2].params))
    found = experiment.evaluate(state, jax.random.key(0))
    mean, deviation = dataset.train.images.mean(), dataset.train.images.std()
    expected = {}
    for name in ("train", "validation", "test"):
        split = getattr(dataset, name)
        images = jnp.asarray((split.images - mean) / deviation)
        logits, _ = Small().apply({"params": state.params}, images)
        wrong = (np.asarray(logits).argmax(-1) != split.labels).mean()
        assert found[f"{name}_error_percent"] == pytest.approx(100.0 * wrong, abs=1e-3)
        log_p = jax.nn.log_softmax(logits)
        expected[name] = -float(log_p[jnp.arange(len(split.labels)), split.labels].mean())
        assert float(found[f"{name}_cross_entropy"]) == pytest.approx(expected[name], rel=1e-4)
    assert np.diff(sorted(expected.values())).min() > 0.01


def test_the_classifier_is_described_for_other_experiments(trained, dataset):
    experiment, states = trained
    classifier, moments = experiment.classifier, channel_moments(dataset.train.images)
    assert classifier.variables(states[2]) == states[2].variables
    assert classifier.record == {
        "classes": list(dataset.classes),
        "image_shape": [SIZE, SIZE, 1],
        "mean": moments.mean.tolist(),
        "deviation": moments.deviation.tolist(),
    }


def test_validation_images_that_are_trained_on_are_not_judged(dataset):
    experiment = build(dataset, train_on_validation=True)
    assert experiment.batches.num_examples == 1_197 + 300
    assert experiment.best is None
    state = jax.jit(experiment.init)(jax.random.key(0))
    found = experiment.evaluate(state, jax.random.key(0))
    assert not [name for name in found if name.startswith("validation")]


def test_other_heads_are_judged_beside_the_net(dataset):
    def always(label):
        return lambda state, images: jnp.eye(10)[jnp.full(len(images), label)]

    experiment = build(dataset, heads=lambda moments: {"ones": always(1), "twos": always(2)})
    state = jax.jit(experiment.init)(jax.random.key(0))
    found = experiment.evaluate(state, jax.random.key(0))
    for label, name in ((1, "ones"), (2, "twos")):
        wrong = 100.0 * (dataset.validation.labels != label).mean()
        assert found[f"validation_error_percent_{name}"] == pytest.approx(wrong)


def test_measures_see_the_structure_key_of_the_step(dataset):
    def measure(key):
        return {"draw": jax.random.uniform(key)}

    experiment = build(dataset, measure=measure)
    state = jax.jit(experiment.init)(jax.random.key(0))
    _, metrics = jax.jit(experiment.step)(state, next(experiment.batches(0)), jax.random.key(5))
    expected = jax.random.uniform(step_keys(jax.random.key(5)).structure)
    assert metrics["draw"] == pytest.approx(float(expected))


def test_first_weights_follow_the_key_and_differ_by_seed():
    draws = [
        jax.random.normal(shared.rbg_key(jax.random.key(seed)), (20_000,)) for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert abs(np.corrcoef(draws[0], draws[2])[0, 1]) < 0.03
    assert float(draws[0].std()) == pytest.approx(1.0, abs=0.03)


def test_images_that_the_net_does_not_take_are_refused():
    with pytest.raises(DataError, match="not take the images of digits, 10x10x1: sides are 10; at"):
        build(digits.read(10))


def test_one_class_and_too_few_images_are_refused(dataset):
    with pytest.raises(DataError, match="at least two classes; digits has 1"):
        build(dataset._replace(classes=("0",)))
    with pytest.raises(DataError, match="--train_images is 1198; digits has 1197"):
        first_digits(1_198)


def first_digits(count):
    return load(ClassifierConfig(dataset="digits", train_images=count), Library(None, print))


def test_the_first_examples_leave_the_other_splits():
    whole, found = first_digits(0), first_digits(20)
    assert len(whole.train.labels) == 1_197
    np.testing.assert_array_equal(found.train.labels, whole.train.labels[:20])
    np.testing.assert_array_equal(found.test.images, whole.test.images)


def test_the_rate_rises_then_decays_to_a_tenth_at_each_fraction():
    rate = schedule(
        ClassifierConfig(learning_rate=0.1, num_steps=100, decay_at=(0.5, 0.75), warmup_steps=10)
    )
    found = [float(rate(step)) for step in (0, 5, 10, 49, 51, 74, 76, 99)]
    expected = [0.0, 0.05, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_without_fractions_the_rate_decays_to_0():
    rate = schedule(ClassifierConfig(learning_rate=0.1, num_steps=100, warmup_steps=0))
    np.testing.assert_allclose([rate(s) for s in (0, 50, 100)], [0.1, 0.05, 0.0], atol=1e-7)


def test_the_papers_optimizer_is_momentum_on_the_penalized_gradient():
    constant = {"learning_rate": 0.1, "decay_at": (0.9,), "warmup_steps": 0}
    optimizer = momentum_sgd(ClassifierConfig(weight_decay=0.01, **constant))
    params = jnp.array([2.0])
    state = optimizer.init(params)
    for _ in range(2):
        updates, state = optimizer.update(jnp.array([1.0]), state, params)
        params = params + updates
    # 2 - 0.1 * 1.02 = 1.898; then 1.898 - 0.1 * (1.01898 + 0.9 * 1.02)
    assert float(params[0]) == pytest.approx(1.898 - 0.1 * (1.01898 + 0.918))


def test_a_crop_and_flip_is_some_place_of_the_padded_image_or_of_its_mirror_image():
    images = np.random.default_rng(0).random((8, 4, 4, 3)).astype(np.float32)
    moments = channel_moments(images)
    found = shared.crop_and_flip(1)(moments)(jax.random.key(0), jnp.asarray(images))
    for image, moved in zip(images, np.asarray(found), strict=True):
        padded = np.broadcast_to(moments.mean, (6, 6, 3)).copy()
        padded[1:5, 1:5] = image
        places = [padded[i : i + 4, j : j + 4] for i in range(3) for j in range(3)]
        assert any(np.array_equal(moved, way) for p in places for way in (p, p[:, ::-1]))


@pytest.mark.parametrize(
    ("dtype", "decay_at", "message"),
    [
        ("float16", (), "--dtype is 'float16'; allowed: float32 or bfloat16"),
        ("float32", (0.75, 0.5), "--decay_at is 0.75,0.5; it must be fractions"),
        ("float32", (0.5, 1.0), "--decay_at is 0.5,1.0; it must be fractions"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(dtype, decay_at, message):
    with pytest.raises(ValueError, match=message):
        ClassifierConfig(dtype=dtype, decay_at=decay_at)


def test_the_class_table_names_what_is_most_often_confused():
    table = evaluation.class_table(np.array([[8, 2, 0], [0, 5, 0], [3, 1, 6]]), ("a", "b", "c"))
    rows = [line.split() for line in table.splitlines()[1:]]
    assert rows == [
        ["a", "10", "80.00", "b", "(2)"],
        ["b", "5", "100.00"],
        ["c", "10", "60.00", "a", "(3)"],
    ]


def test_mistakes_are_the_images_classified_wrong_with_both_classes():
    images = np.linspace(-1.0, 1.0, 3, dtype=np.float32).reshape(3, 1, 1, 1)
    split = Split.labeled_images(images, np.int32([0, 1, 1]))
    logits = np.float32([[1, 0], [1, 0], [0, 1]])
    found = evaluation.mistakes(logits, split, ("cat", "dog"))
    np.testing.assert_array_equal(found.pixels, images[1:2])
    assert found.caption == "the first test images that are classified wrong: dog as cat"
    none = evaluation.mistakes(logits[[0, 2, 2]], split, ("cat", "dog"))
    assert none.caption.endswith("none")


def test_first_filters_are_those_of_the_layer_that_sees_the_pixels(trained):
    _, states = trained
    found = evaluation.first_filters(states[0].params, 1)["first_layer_filters"]
    assert found.pixels.shape == (4, 3, 3, 1)
    assert evaluation.first_filters({"fc": {"kernel": jnp.ones((4, 10))}}, 1) == {}


def test_the_alarm_tells_a_net_that_has_learned_nothing():
    assert evaluation.alarm(86.0, 10) == "the test error is 86.00%, where guessing has 90.00%"
    assert evaluation.alarm(85.0, 10) == ""
