"""The canvas around an image, of which the network sees every pixel."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.image_space.objectives import layer_energy
from lecture_models.image_space.optimizers import normalized_gradient
from lecture_models.image_space.terms import Term
from lecture_models.models.googlenet import GoogLeNet
from lecture_models.models.vgg import VGG
from lecture_models.tasks.canvas import canvas_size, cropped, extended
from lecture_models.tasks.image_optimization import Stage, feature_network, image_experiment
from tests.random_variables import random_variables
from tests.tiny_network import tiny


def vgg(depth=2, padding="SAME"):
    model = VGG(stages=((4, (3,)),) * depth, num_classes=0, padding=padding)
    shape = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32)
    return tiny()._replace(model=model, variables=random_variables(model, shape))


def test_a_canvas_is_the_next_multiple_of_the_stride_of_the_deepest_layer():
    network = vgg(3)
    apply = feature_network(network)
    assert canvas_size(apply, network, (33, 40), ["relu1_1", "pool3"]) == (40, 40)
    assert canvas_size(apply, network, (33, 39), ["pool1"]) == (34, 40)
    assert canvas_size(apply, network, (33, 39), ["relu1_1"]) == (33, 39)


@pytest.mark.parametrize("padding", ["REFLECT", "CIRCULAR"])
def test_padding_with_pixels_needs_the_same_canvas(padding):
    network = vgg(2, padding)
    assert canvas_size(feature_network(network), network, (33, 40), ["pool2"]) == (36, 40)


@pytest.mark.slow
def test_a_network_that_rounds_up_needs_no_canvas():
    model = GoogLeNet(num_classes=0)
    variables = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 64, 64, 3)))
    network = tiny()._replace(model=model, variables=variables)
    apply = feature_network(network)
    assert canvas_size(apply, network, (75, 101), ["inception_4c/output"]) == (75, 101)


def test_windows_that_overlap_and_end_at_the_edge_cut_nothing():
    """The 3 pixels of conv2 lie side by side at 11 columns; at 12 the last column is cut off."""
    network = tiny()
    assert canvas_size(feature_network(network), network, (23, 22), ["conv2"]) == (24, 22)


def test_an_image_continues_mirrored_and_is_cut_out_again():
    images = jnp.arange(6.0).reshape(1, 2, 3, 1)
    canvas = extended(images, (3, 5))
    assert canvas[0, :, :, 0].tolist() == [[0, 1, 2, 2, 1], [3, 4, 5, 5, 4], [3, 4, 5, 5, 4]]
    np.testing.assert_array_equal(cropped(canvas, (2, 3)), images)
    assert extended(images, (2, 3)) is images


def changes(canvas):
    """How far one step moves each pixel of images of 23 x 23, of which pool3 rounds 7 away."""
    network = vgg(3)
    apply = feature_network(network)
    size = (23, 23)
    canvas = canvas_size(apply, network, size, ["pool3"]) if canvas else None
    stage = Stage(*size, 1, (Term("energy", layer_energy("pool3"), -1.0),), canvas=canvas)
    start = 0.3 * jax.random.normal(jax.random.key(0), (6, *size, 3))
    experiment = image_experiment(
        apply, network.variables, (stage,), lambda key: start, normalized_gradient(0.1)
    )
    state = experiment.init(jax.random.key(0))
    (phase,) = experiment.phases
    state, _ = jax.jit(phase.step)(state, next(experiment.batches(0)), jax.random.key(1))
    after = experiment.evaluate(state, jax.random.key(2))["image"].pixels
    assert after.shape == start.shape
    return np.abs(np.asarray(after - start)).mean((0, 3))


def test_the_last_rows_and_columns_change_as_much_as_the_others():
    lost, whole = changes(canvas=False), changes(canvas=True)
    for strip in (np.s_[-2:], np.s_[:, -2:]):
        assert lost[strip].mean() < 0.3 * lost[2:16, 2:16].mean()
        assert whole[strip].mean() > 0.5 * whole[2:16, 2:16].mean()
