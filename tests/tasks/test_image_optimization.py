"""The stages of an image's optimization, without any network but a tiny one."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.image_space.objectives import image_match, layer_energy
from lecture_models.image_space.optimizers import normalized_gradient
from lecture_models.image_space.terms import Term
from lecture_models.image_space.transforms import jitter
from lecture_models.tasks.image_optimization import (
    Stage,
    classifier_network,
    feature_network,
    image_experiment,
    keep,
    resized,
)
from lecture_models.tasks.layers import layer_shapes, require_layers
from lecture_models.training import metric_window
from lecture_models.training.checkpoint import Checkpoints
from lecture_models.training.dispatch import Position, make_advance
from lecture_models.weights.error import WeightsError
from lecture_models.weights.pretrained import UNTRAINED, Weights
from tests.tiny_network import tiny


def nothing(variables, images):
    """A network that says nothing."""
    return jnp.zeros((len(images), 0)), {}


def toward(value, size, steps, optimizer=None):
    target = {"image": jnp.full((*size, 3), value)}
    return Stage(*size, steps, (Term("match", image_match(), 1.0, target),), optimizer)


def run(experiment, steps, position=None, until=None):
    advance = make_advance(experiment, jax.random.key(1), steps, 1)
    if position is None:
        state = jax.jit(experiment.init)(jax.random.key(0))
        position = Position(0, state, metric_window.empty(2))
    while position.step < (until or steps):
        position = advance(position, until or steps)
    return position


def gray(size):
    return lambda key: jnp.zeros((1, *size, 3))


def test_a_step_of_normalized_gradient_moves_every_pixel_by_its_rate():
    stages = (toward(1.0, (6, 8), 3),)
    experiment = image_experiment(nothing, {}, stages, gray((6, 8)), normalized_gradient(0.1))
    state = run(experiment, 3).state
    np.testing.assert_allclose(state.image.params, 0.3, rtol=1e-5)
    assert not experiment.cadence_decides  # More steps go on from here.


def test_each_stage_has_its_size_on_one_canvas():
    sizes = (4, 4), (6, 8)
    stages = tuple(toward(1.0, size, 2) for size in sizes)
    experiment = image_experiment(nothing, {}, stages, gray((6, 8)), normalized_gradient(0.1))
    first = run(experiment, 4, until=2).state
    assert first.image.params.shape == (1, 6, 8, 3)
    assert float(jnp.abs(first.image.params[:, 4:]).max()) == 0.0
    assert experiment.evaluate(first, jax.random.key(0))["image"].pixels.shape == (1, 4, 4, 3)
    last = run(experiment, 4).state
    assert int(last.stage) == 1
    assert experiment.evaluate(last, jax.random.key(0))["image"].pixels.shape == (1, 6, 8, 3)
    assert float(last.image.params.min()) > 0.2
    assert experiment.cadence_decides == {"num_steps": "the steps of each size"}


def test_a_stage_may_move_by_an_optimizer_of_its_own():
    stages = (
        toward(1.0, (6, 8), 1, normalized_gradient(0.1)),
        toward(1.0, (6, 8), 1, normalized_gradient(0.3)),
    )
    experiment = image_experiment(nothing, {}, stages, gray((6, 8)), normalized_gradient(9.0))
    np.testing.assert_allclose(run(experiment, 2).state.image.params, 0.4, rtol=1e-5)


def test_carry_is_given_the_stage_before_and_the_first_image():
    def carry(previous, base, size):
        assert previous.shape == (1, 4, 4, 3)
        return resized(base, size) + 0.5

    stages = tuple(toward(0.0, size, 1) for size in ((4, 4), (6, 8)))
    start = lambda key: jnp.full((1, 6, 8, 3), 0.25)  # noqa: E731
    still = normalized_gradient(0.0)
    experiment = image_experiment(nothing, {}, stages, start, still, carry=carry)
    np.testing.assert_allclose(run(experiment, 2).state.image.params, 0.75, rtol=1e-6)


def test_without_more_a_stage_begins_with_the_image_before_it():
    images = jnp.full((1, 4, 4, 3), 0.3)
    np.testing.assert_allclose(keep(images, jnp.zeros((1, 6, 8, 3)), (6, 8)), 0.3, rtol=1e-6)


@pytest.mark.slow
def test_resume_in_and_between_stages_is_bit_exact(tmp_path):
    network = tiny()
    stages = tuple(
        Stage(*size, 2, (Term("energy", layer_energy("conv2"), -1.0),))
        for size in ((24, 20), (32, 28))
    )
    experiment = image_experiment(
        feature_network(network),
        network.variables,
        stages,
        lambda key: jax.random.uniform(key, (1, 32, 28, 3), minval=-1.0, maxval=1.0),
        normalized_gradient(0.05),
        transform=jitter(3),
    )
    whole = run(experiment, 4)
    for stop in (1, 2, 3):
        part = run(experiment, 4, until=stop)
        checkpoints = Checkpoints(tmp_path / str(stop), print)
        checkpoints.save(stop, {"state": part.state, "window": part.window}, None)
        checkpoints.wait()
        like = jax.eval_shape(lambda: {"state": part.state, "window": part.window})  # noqa: B023
        _, saved = checkpoints.restore_latest(like)
        saved = jax.tree.map(jnp.asarray, saved)
        again = run(
            experiment,
            4,
            Position(stop, saved["state"], metric_window.MetricWindow(*saved["window"])),
        )
        jax.tree.map(np.testing.assert_array_equal, again.state, whole.state)


def test_batches_are_the_same_arrays_at_every_step():
    stages = (toward(1.0, (6, 8), 3),)
    experiment = image_experiment(nothing, {}, stages, gray((6, 8)), normalized_gradient(0.1))
    one, two = itertools.islice(experiment.batches(5), 2)
    assert one is two


def test_an_unknown_layer_is_refused_with_the_list():
    network = tiny()
    apply = feature_network(network)
    with pytest.raises(
        WeightsError, match="tiny has no layer 'conv3' for images of 24x24; did you mean 'conv"
    ):
        require_layers(apply, network, (24, 24), ["conv3"])
    with pytest.raises(WeightsError, match="Its layers: conv1, relu1, conv2, mean"):
        require_layers(apply, network, (24, 24), ["nothing"])


def test_an_image_too_small_for_a_layer_is_refused():
    network = tiny()
    with pytest.raises(WeightsError, match="an image of 3x3 is too small for the layer conv2"):
        require_layers(feature_network(network), network, (3, 3), ["conv2"])


def test_an_image_that_dense_layers_do_not_fit_is_refused():
    network = Weights(None, print).load(UNTRAINED)
    with pytest.raises(WeightsError, match="untrained does not take an image of 60x60: "):
        layer_shapes(classifier_network(network), network, (60, 60))


def test_a_network_without_classes_classifies_nothing():
    with pytest.raises(WeightsError, match="tiny has no class scores; choose another --model"):
        classifier_network(tiny(classes=()))


def test_shapes_are_those_of_one_image():
    network = tiny()
    shapes = layer_shapes(feature_network(network), network, (24, 20))
    assert shapes["conv1"] == (1, 12, 10, 6)
    assert list(shapes) == ["conv1", "relu1", "conv2", "mean"]
