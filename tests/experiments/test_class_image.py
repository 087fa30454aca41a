import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import class_image
from experiments.class_image import Config, build, chosen_classes, mean_color
from lecture_models.data.lookup import Library
from lecture_models.image_space.optimizers import normalized_gradient
from lecture_models.tasks.class_judge import class_metrics, find_judge, make_class_judge
from lecture_models.training.dispatch import Position, make_advance
from lecture_models.training.metric_window import empty
from lecture_models.weights.error import WeightsError
from tests.tiny_network import CLASSES, TinyWeights, tiny

SETTINGS = {"model": "tiny", "judge": "", "num_steps": 8, "jitter": 2}
SLIDE = {"fourier": False, "jitter": 0, "scale": 0.0, "rotation": 0.0}


def made(**settings):
    networks = tiny(), tiny("other", seed=1), tiny("alien", classes=("a", "b"))
    return build(Config(**(SETTINGS | settings)), Library(None, print), TinyWeights(*networks))


def started(experiment):
    return jax.jit(experiment.init)(jax.random.key(0))


def names_of(experiment):
    state, batch = started(experiment), next(iter(experiment.batches(0)))
    return sorted(jax.eval_shape(experiment.phases[0].step, state, batch, jax.random.key(0))[1])


def run(experiment, steps):
    """The last evaluation, and the mean metrics of each step by name."""
    names = names_of(experiment)
    position = Position(0, started(experiment), empty(len(names)))
    advance = make_advance(experiment, jax.random.key(1), steps, 1)
    totals = [np.zeros(len(names))]
    for step in range(steps):
        position = advance(position, step + 1)
        totals.append(np.asarray(position.window.totals))
    values = np.diff(totals, axis=0)
    evaluation = experiment.evaluate(position.state, jax.random.key(2))
    return evaluation, {name: values[:, i] for i, name in enumerate(names)}


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"log_probability": True},
        SLIDE,
        SLIDE | {"l2_decay": 1e-3, "variation": 1e-3},
        {"fourier": False, "blur_every": 2, "clip_norm": 0.1, "clip_contribution": 0.1},
    ],
)
def test_the_score_rises_in_a_few_steps(settings):
    _, values = run(made(classes=("1", "crane"), **settings), 8)
    assert values["score"][-1] > values["score"][0] + 0.1


@pytest.mark.slow
def test_each_image_is_of_its_own_class():
    """As many images as classes, and each the same as if it were made alone."""
    both, _ = run(made(classes=("goldfish", "crane"), **SLIDE), 6)
    for index, name in enumerate(("goldfish", "crane")):
        alone, _ = run(made(classes=(name,), **SLIDE), 6)
        pixels = np.asarray(both["image"].pixels)[index]
        np.testing.assert_allclose(alone["image"].pixels[0], pixels, atol=1e-3)


def test_the_first_image_is_zero_to_the_network():
    network = tiny()
    images = started(made(**SLIDE)).image.params
    assert images.shape == (1, 24, 24, 3)  # Of the six default classes it has one.
    np.testing.assert_allclose(network.preprocess.normalize(images), 0.0, atol=1e-4)
    np.testing.assert_allclose(
        mean_color(network.preprocess), np.array([123.0, 117.0, 104.0]) / 127.5 - 1.0, atol=1e-6
    )


def test_a_spectrum_begins_at_the_same_image():
    experiment = made()
    image = experiment.evaluate(started(experiment), jax.random.key(0))["image"].pixels
    color = mean_color(tiny().preprocess).reshape(1, 1, 1, 3)
    np.testing.assert_allclose(image, np.broadcast_to(color, image.shape), atol=1e-4)


def test_decay_keeps_the_image_near_the_mean():
    free, _ = run(made(classes=("crane",), **SLIDE), 8)
    held, values = run(made(classes=("crane",), l2_decay=10.0, **SLIDE), 8)
    color = mean_color(tiny().preprocess).reshape(1, 1, 1, 3)
    away = [float(np.square(each["image"].pixels - color).sum()) for each in (held, free)]
    assert away[0] < away[1]
    assert values["decay"][0] == 0.0


def test_another_network_judges():
    evaluation, _ = run(made(judge="other", classes=("0", "1")), 2)
    assert {"own_probability", "judge_probability", "judge_top1", "judge_top5"} <= set(evaluation)
    assert evaluation["image"].caption.startswith("other sees: tench: ")
    assert evaluation["seen"].count("\n") == 2
    assert evaluation["alarm_judge"] == ""


@pytest.mark.slow
def test_without_a_judge_the_network_speaks_for_itself():
    evaluation, _ = run(made(classes=("0",)), 1)
    assert "judge_probability" not in evaluation
    assert evaluation["image"].caption.startswith("tiny sees: ")


def test_metrics_count_ranks():
    probabilities = np.array([[0.1, 0.6, 0.3], [0.2, 0.3, 0.5]], np.float32)
    found = class_metrics("judge", probabilities, np.array([1, 0]))
    assert found["judge_top1"] == 1.0
    assert found["judge_top5"] == 2.0
    np.testing.assert_allclose(found["judge_probability"], 0.4, rtol=1e-6)


def test_a_judge_of_other_classes_or_none_to_be_had_is_an_alarm():
    weights = TinyWeights(tiny(), tiny("alien", classes=("a", "b")))
    other = find_judge("alien", weights, tiny())
    assert other.network is None
    assert other.alarm.startswith("no other network judges the images: the 2 classes of alien")
    assert find_judge("nobody", weights, tiny()).alarm.endswith("there is no nobody")
    evaluate = make_class_judge(tiny(), other, np.array([0]), 1)
    assert evaluate(jnp.zeros((1, 24, 24, 3)))["alarm_judge"] == other.alarm


def test_classes_are_named_or_numbered():
    config = Config(classes=("crane", "0", "Tinca Tinca"))
    assert chosen_classes(config, tiny()).tolist() == [2, 0, 0]
    assert chosen_classes(Config(), tiny()).tolist() == [CLASSES.index("goldfish")]
    digits = tiny(classes=tuple("0123456789"))
    assert chosen_classes(Config(), digits).tolist() == list(range(10))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classes": ("goldfsh",)}, "there is no class 'goldfsh'; did you mean 'goldfish'"),
        ({"classes": ("7",)}, "--classes is 7; it must be from 0 to 2"),
        ({"size": 8, "jitter": 8}, "--jitter is 8; it must be below 8, the image's side"),
    ],
)
def test_bad_input_is_refused(settings, message):
    with pytest.raises(WeightsError, match=message):
        made(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": -1}, "--size is -1"),
        ({"blur_every": 4}, "--blur_every works with pixels only; add --nofourier"),
        ({"fourier": False, "clip_norm": 1.5}, "--clip_norm is 1.5"),
        ({"num_steps": 0}, "--num_steps is 0"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Config(**settings)


def test_without_rules_the_optimizer_is_the_plain_step():
    plain = normalized_gradient(class_image.Config().step_size / 127.5)
    config = Config(**SLIDE)
    optimizer = class_image.make_optimizer(config, np.zeros(3, np.float32))
    gradient = jax.random.normal(jax.random.key(0), (1, 4, 5, 3))
    ours, _ = optimizer.update(gradient, optimizer.init(gradient), gradient, 0.0)
    theirs, _ = plain.update(gradient, plain.init(gradient), gradient, 0.0)
    np.testing.assert_array_equal(ours, theirs)
