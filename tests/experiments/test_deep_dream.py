import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from experiments import deep_dream
from experiments.deep_dream import Config, build, notes, octave_sizes, redetailed
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.image_space.objectives import guided_match, layer_energy
from lecture_models.image_space.terms import View
from lecture_models.tasks.image_optimization import feature_network, resized
from lecture_models.tasks.tiled_network import Arguments, tiled_network, tiled_value
from lecture_models.training.dispatch import Position, make_advance
from lecture_models.training.metric_window import empty
from tests.tiny_network import TinyWeights, tiny

SETTINGS = {"model": "tiny", "layer": "conv2", "octaves": 2, "jitter": 3, "num_steps": 6}
GUIDE = {"guide": "sample:china", "guide_size": 32}


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(60, 190, (40, 60, 3), np.uint8)).save(path)
    return path


def made(photo, **settings):
    config = Config(images=(str(photo),), size=60, **(SETTINGS | settings))
    return build(config, Library(None, print), TinyWeights())


def run(experiment, steps):
    """The last image, and the metrics of every step."""
    position = Position(0, jax.jit(experiment.init)(jax.random.key(0)), empty(2))
    advance = make_advance(experiment, jax.random.key(1), steps, 1)
    totals = []
    while position.step < steps:
        position = advance(position, position.step + 1)
        totals.append(np.asarray(position.window.totals))
    return experiment.evaluate(position.state, jax.random.key(2)), np.diff(totals, axis=0)


@pytest.mark.slow
def test_the_energy_of_a_layer_rises_in_a_few_steps(photo):
    evaluation, changes = run(made(photo, octaves=1), 6)
    energies = changes[:, 0]
    assert energies[-1] > 1.05 * energies[0] > 0.0
    image = np.asarray(evaluation["image"].pixels)
    assert image.shape == (1, 40, 60, 3)
    assert np.abs(image).max() <= 1.0


def test_a_guided_dream_comes_closer_to_its_guide(photo):
    _, changes = run(made(photo, octaves=1, **GUIDE), 6)
    assert changes[-1, 0] > changes[0, 0]


@pytest.mark.slow
def test_one_step_is_that_of_the_slide(photo):
    """Roll, gradient of 1/2 sum f^2, 1.5 levels over mean |g|, roll back, clip."""
    experiment = made(photo, octaves=1, jitter=0)
    state = jax.jit(experiment.init)(jax.random.key(0))
    before = np.asarray(state.image.params)
    (phase,) = experiment.phases
    batch = next(iter(experiment.batches(0)))
    after, _ = phase.step(state, batch, jax.random.key(1))
    network = tiny()
    apply = feature_network(network)
    features, pull = jax.vjp(lambda x: apply(network.variables, x)[1]["conv2"], before)
    (gradient,) = pull(features)  # dst.diff = dst.data.
    levels = (before + 1.0) * 127.5 + 1.5 / np.abs(gradient).mean() * np.asarray(gradient)
    expected = np.clip(levels, 0.0, 255.0) / 127.5 - 1.0
    np.testing.assert_allclose(after.image.params, expected, atol=2e-5)


def test_an_octave_steps_as_far_as_the_picture_alone_would():
    """The canvas around a small octave does not dilute its mean gradient."""
    term = deep_dream.Term("energy", layer_energy("conv2"), -1.0)
    config = Config(num_steps=2, octaves=2, **{"model": "tiny"})
    sizes = [(20, 30), (40, 60)]
    small, large = deep_dream.make_stages(config, sizes, sizes, term)
    gradient = jnp.zeros((1, 40, 60, 3)).at[:, :20, :30].set(2.0)
    moved, _ = small.optimizer.update(gradient, small.optimizer.init(gradient), 0.0 * gradient, 0.0)
    np.testing.assert_allclose(moved[:, :20, :30], -1.5 / 127.5, rtol=1e-5)
    moved, _ = large.optimizer.update(
        gradient + 2.0, large.optimizer.init(gradient), jnp.zeros_like(gradient), 0.0
    )
    np.testing.assert_allclose(moved.mean(), -1.5 / 127.5, rtol=1e-5)


def test_a_dream_of_nothing_keeps_the_detail_of_the_picture():
    base = jax.random.uniform(jax.random.key(0), (1, 30, 40, 3), minval=-1.0, maxval=1.0)
    untouched = resized(base, (20, 27))
    np.testing.assert_allclose(redetailed(untouched, base, (30, 40)), base, atol=1e-6)


def test_what_was_dreamt_is_added_to_the_detail():
    base = 0.2 * jax.random.normal(jax.random.key(0), (1, 30, 40, 3))
    dreamt = resized(base, (20, 27)) + 0.1
    np.testing.assert_allclose(redetailed(dreamt, base, (30, 40)), base + 0.1, atol=1e-5)


def test_octaves_shrink_by_their_scale_and_small_ones_are_left():
    network = tiny()
    apply = feature_network(network)
    config = Config(octaves=3, octave_scale=2.0, jitter=4)
    sizes = octave_sizes(config, apply, network, (40, 60), "conv2")
    assert sizes == [(10, 15), (20, 30), (40, 60)]
    config = Config(octaves=9, octave_scale=2.0, jitter=4, num_steps=9)
    assert octave_sizes(config, apply, network, (40, 60), "conv2") == [(5, 8), *sizes]


def test_fewer_octaves_are_announced(photo, capsys):
    experiment = made(photo, octaves=6, octave_scale=2.0)
    assert "4 of 6; the smallest were skipped" in capsys.readouterr().err
    assert [phase.first_step for phase in experiment.phases] == [0, 1, 2, 3]


def test_a_picture_smaller_than_what_a_unit_sees_is_announced():
    network = tiny()
    said = notes(Config(octaves=1), feature_network(network), network, [(8, 40)], "conv2")
    assert said["field"] == "a unit of conv2 sees 9 pixels; beyond the picture it sees zeros"
    said = notes(Config(octaves=1), feature_network(network), network, [(9, 40)], "conv2")
    assert "field" not in said


@pytest.mark.slow
@pytest.mark.parametrize("guide", [{}, GUIDE])
def test_a_dream_in_tiles_is_the_whole_dream(photo, guide):
    whole, _ = run(made(photo, octaves=1, **guide), 1)
    tiled, _ = run(made(photo, octaves=1, tile=24, **guide), 1)
    np.testing.assert_allclose(tiled["image"].pixels, whole["image"].pixels, atol=1e-4)


@pytest.mark.slow
def test_the_value_of_tiles_is_that_of_the_whole():
    network = tiny()
    apply = feature_network(network)
    images = jax.random.uniform(jax.random.key(0), (1, 50, 43, 3), minval=-1.0, maxval=1.0)
    target = jax.random.normal(jax.random.key(1), (7, 8))
    objective = guided_match("conv2")
    tiled = tiled_network(apply, network, "conv2", objective, 16, (50, 43))
    view = View(images, *tiled(Arguments(network.variables, target), images))
    expected = objective(View(images, *apply(network.variables, images)), target)
    np.testing.assert_allclose(tiled_value(view, ()), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layer": "conv9"}, "tiny has no layer 'conv9'.*conv1, relu1, conv2, mean"),
        ({"layer": "mean"}, "mean of tiny has no rows and columns"),
        ({"jitter": 40}, "--jitter is 40; it must be below the picture's shorter side, 40"),
        ({"tile": 3}, "--tile is 3; it must be at least 4, the stride of conv2"),
        ({"guide": "no.png"}, "no.png"),
    ],
)
def test_bad_input_is_refused(photo, settings, message):
    with pytest.raises(DataError, match=message):
        made(photo, **settings)


def test_a_picture_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="no.png"):
        made(tmp_path / "no.png")


def test_the_gradient_of_a_guided_dream_is_the_best_match_in_the_guide():
    features = jnp.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 0.5]]).reshape(1, 1, 3, 2)
    guide = jnp.array([[3.0, 1.0], [0.0, 2.0]])

    def total(features):
        images = jnp.zeros((1, 4, 4, 3))
        return guided_match("f")(View(images, jnp.zeros((1, 0)), {"f": features}), guide).sum()

    value, gradient = jax.value_and_grad(total)(features)
    assert float(value) == 3.0 + 4.0 + 1.0
    np.testing.assert_array_equal(gradient[0, 0], jnp.array([[3.0, 1.0], [0.0, 2.0], [0.0, 2.0]]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 0}, "--size is 0; it must be at least 1"),
        ({"octaves": 8, "num_steps": 7}, "--num_steps is 7; it must be at least 8"),
        ({"octave_scale": 1.0}, "--octave_scale is 1.0"),
        ({"tile": -1}, "--tile is -1"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Config(**settings)


def test_a_network_that_is_not_the_published_one_raises_an_alarm(photo):
    config = Config(images=(str(photo),), size=60, **SETTINGS)
    experiment = build(config, Library(None, print), TinyWeights(tiny(alarm="of digits")))
    state = jax.jit(experiment.init)(jax.random.key(0))
    assert experiment.evaluate(state, jax.random.key(0))["alarm_network"] == "of digits"
