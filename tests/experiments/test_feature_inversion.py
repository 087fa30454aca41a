import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from experiments import feature_inversion
from experiments.feature_inversion import Config, contact_sheet, pairwise_distance, variation_weight
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.image_space.inversion import central
from lecture_models.models.alexnet import AlexNet
from lecture_models.models.vgg import VGG
from lecture_models.nn.pooling import mean_pool
from lecture_models.tasks.image_optimization import feature_network
from lecture_models.tasks.inversion import field_boxes, framed, gradient_box
from lecture_models.weights.error import WeightsError
from lecture_models.weights.pretrained import Weights
from tests.random_variables import random_variables


@pytest.fixture
def libraries(tmp_path):
    return Library(tmp_path, lambda line: None), Weights(tmp_path, lambda line: None)


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    values = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)
    path = tmp_path_factory.mktemp("pictures") / "noise.png"
    Image.fromarray(values).save(path)
    return str(path)


def smoke(photo, **options):
    return Config(**feature_inversion.SMOKE | {"images": (photo,), "size": 24} | options)


@pytest.fixture(scope="module")
def run(photo, tmp_path_factory):
    """Evaluations at the start, after the first layer, and after the second."""
    folder = tmp_path_factory.mktemp("nothing")
    silent = Library(folder, lambda line: None), Weights(folder, lambda line: None)
    config = smoke(photo, field=5, history_size=3, num_steps=60)
    experiment = feature_inversion.build(config, *silent)
    state, key = experiment.init(jax.random.key(0)), jax.random.key(1)
    batch = next(experiment.batches(0))
    found = [experiment.evaluate(state, key)]
    for phase in experiment.phases:
        state = phase.enter(state)
        step = jax.jit(phase.step)
        for _ in range(30):
            state, _ = step(state, batch, key)
        found.append(experiment.evaluate(state, key))
    return found


@pytest.mark.slow
def test_codes_come_near(run):
    begun, _, ended = run
    assert ended["code_error_relu1_1"] < 0.3 * begun["code_error_relu1_1"]
    assert ended["code_error_pool1"] < 0.5
    assert ended["alarm_network"]


def test_reconstructions_have_equal_codes_and_different_pixels(run):
    *_, ended = run
    for line in ended["codes"].splitlines()[1:3]:
        _, error, spread, _, pairs = line.split()
        assert float(spread.rstrip("%")) < 0.25 * float(error.rstrip("%"))
        assert float(pairs) > 0.003


def test_a_layer_that_is_over_keeps_its_images(run):
    _, middle, ended = run
    assert len(middle["inverted"].pixels) == 3
    assert len(ended["inverted"].pixels) == 6
    np.testing.assert_array_equal(middle["inverted"].pixels[:3], ended["inverted"].pixels[:3])


def test_outside_of_the_field_images_stay_gray(run):
    *_, ended = run
    rows = ended["inverted"].pixels.reshape(2, 3, 24, 24, 3)
    fields = ended["fields"].splitlines()[1:]
    for images, line, (first, last) in zip(rows, fields, [(8, 14), (5, 16)], strict=True):
        assert f"({first}, {first}) to ({last}, {last}): the support of the gradient" in line
        outside = images[1:].copy()
        outside[:, first - 1 : last + 2, first - 1 : last + 2] = 0.0  # The frame is white.
        inside = images[1:, first : last + 1, first : last + 1]
        assert np.abs(outside).max() == 0.0
        assert np.abs(inside).max() > 0.5


def test_the_central_fields_of_caffenet_are_those_of_the_figure():
    """The whole picture at the last convolution."""
    model = AlexNet(num_classes=0)
    images = jax.ShapeDtypeStruct((1, 227, 227, 3), jnp.float32)
    variables = jax.eval_shape(model.init, jax.random.key(0), images)
    _, activations = jax.eval_shape(model.apply, variables, images)
    names = ("conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5")
    windows = {name: central(activations[name].shape[1:3], 5) for name in names}
    boxes = field_boxes(model.apply, variables, (227, 227), windows)
    sides = [boxes[name][2] - boxes[name][0] + 1 for name in names]
    assert sides == [27, 51, 83, 131, 163, 195, 227]


def positive_vgg(depth):
    model = VGG(stages=((3, (3,)),) * depth, num_classes=0, pool=mean_pool)
    variables = random_variables(model, jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32))
    return model.apply, jax.tree.map(jnp.abs, variables)


@pytest.mark.slow
@pytest.mark.parametrize(("layer", "side"), [("relu1_1", 7), ("pool1", 12), ("pool2", 26)])
def test_the_box_of_the_central_field_is_the_support_of_the_gradient(layer, side):
    apply, variables = positive_vgg(2)
    images = jax.random.uniform(jax.random.key(0), (2, 32, 32, 3))
    _, activations = jax.eval_shape(apply, variables, images)
    window = central(activations[layer].shape[1:3], 5)
    boxes = field_boxes(apply, variables, (32, 32), {layer: window})
    top, left, bottom, right = boxes[layer]
    assert bottom - top + 1 == right - left + 1 == side
    assert gradient_box(apply, variables, layer, window, images) == boxes[layer]


def test_the_frame_goes_around_the_box_and_leaves_it_alone():
    images = np.zeros((1, 9, 9, 3), np.float32)
    drawn = framed(images, (2, 3, 5, 6))
    assert (drawn[0, 1:7, [2, 7]] == 1.0).all()
    assert (drawn[0, [1, 6], 2:8] == 1.0).all()
    assert drawn.sum() == 3 * (2 * 6 + 2 * 6 - 4)
    assert images.sum() == 0.0
    np.testing.assert_array_equal(framed(images, (0, 0, 8, 8)), images)
    np.testing.assert_array_equal(framed(images, None), images)


def test_pairs_are_told_apart_by_their_root_mean_square():
    images = np.stack([np.zeros((2, 2, 3)), np.ones((2, 2, 3)), np.ones((2, 2, 3))])
    assert pairwise_distance(images) == pytest.approx(2.0 / 3.0)
    assert pairwise_distance(images[:1]) == 0.0


def test_variation_counts_more_at_depth_by_even_ratios():
    weight = functools.partial(variation_weight, (0.5, 5.0, 50.0))
    depths = [0.0, 0.25, 0.5, 1.0]
    assert [weight(depth) for depth in depths] == pytest.approx([0.5, 0.5 * 10**0.5, 5.0, 50.0])
    assert variation_weight((2.0,), 0.7) == pytest.approx(2.0)


def test_a_sheet_has_the_picture_and_every_layer(photo, libraries):
    config = smoke(photo, all_layers=True, layers=(), num_steps=6)
    _, weights = libraries
    network = weights.load("untrained")
    picture = jnp.zeros((1, 24, 24, 3))
    inversions = feature_inversion.make_inversions(
        config, feature_network(network), network, picture
    )
    names = [each.layer for each in inversions]
    assert names == ["conv1_1", "relu1_1", "pool1", "conv2_1", "relu2_1", "pool2"]
    sheet = contact_sheet(np.zeros((6, 1, 24, 24, 3)), inversions, np.asarray(picture))
    assert len(sheet.pixels) == 7
    assert sheet.caption.endswith(", ".join(names))


def test_a_field_larger_than_a_layer_is_refused(photo, libraries):
    with pytest.raises(DataError, match="--field is 7, but pool2 has 6x6 units"):
        feature_inversion.build(smoke(photo, layers=("pool2",), field=7), *libraries)


def test_fewer_steps_than_layers_are_refused(photo, libraries):
    with pytest.raises(WeightsError, match="--num_steps is 4.*layers of untrained, 6"):
        feature_inversion.build(smoke(photo, all_layers=True), *libraries)


def test_an_unknown_layer_is_refused_with_the_list(photo, libraries):
    with pytest.raises(WeightsError, match="no layer 'conv9'.*relu1_1, pool1"):
        feature_inversion.build(smoke(photo, layers=("conv9",)), *libraries)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": ()}, "--layers is empty"),
        ({"variation_weights": ()}, "--variation_weights is empty"),
        ({"num_steps": 3}, "at least the number of layers, 5"),
        ({"reconstructions": 0}, "--reconstructions is 0"),
        ({"beta": 0.5}, "--beta is 0.5"),
    ],
)
def test_settings_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Config(**options)
