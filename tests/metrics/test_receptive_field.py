import jax
import jax.numpy as jnp
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from lecture_models.metrics.receptive_field import (
    WindowedLayer,
    extent,
    gradient_support,
    receptive_field,
)
from lecture_models.nn.arithmetic import stacked_filter

# CaffeNet's layers to pool5, all along one axis; pooling is 3 with stride 2.
CAFFENET = (
    ("conv1", WindowedLayer(11, 4)),
    ("pool1", WindowedLayer(3, 2)),
    ("conv2", WindowedLayer(5, 1, 2)),
    ("pool2", WindowedLayer(3, 2)),
    ("conv3", WindowedLayer(3, 1, 1)),
    ("conv4", WindowedLayer(3, 1, 1)),
    ("conv5", WindowedLayer(3, 1, 1)),
    ("pool5", WindowedLayer(3, 2)),
)


def stack(layers):
    """Returns convolutions of positive weights, with one feature each."""

    def features(images):
        for layer in layers:
            images = jax.lax.conv_general_dilated(
                images,
                jnp.ones((layer.filter, layer.filter, images.shape[-1], 1)),
                (layer.stride, layer.stride),
                [(layer.padding, layer.padding)] * 2,
                rhs_dilation=(layer.dilation, layer.dilation),
                dimension_numbers=("NHWC", "HWIO", "NHWC"),
            )
        return images

    return features


def test_without_layers_a_unit_is_a_pixel():
    assert receptive_field([]) == (1, 1, 0.0)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_stacked_3x3_convolutions_see_as_one_larger_filter(depth):
    field = receptive_field([WindowedLayer(3, 1, 1)] * depth)
    assert field == (stacked_filter(*[3] * depth), 1, 0.0)


def test_caffenet_fields_are_those_of_the_inversion_paper():
    layers = [layer for _, layer in CAFFENET]
    sizes = [receptive_field(layers[: end + 1]).size for end in range(len(layers))]
    assert sizes == [11, 19, 51, 67, 99, 131, 163, 195]


def test_a_block_of_5x5_units_sees_four_strides_more_up_to_the_whole_image():
    layers = [layer for _, layer in CAFFENET]
    fields = [receptive_field(layers[: end + 1]) for end in range(len(layers))]
    blocks = {
        name: field.size + 4 * field.stride
        for (name, _), field in zip(CAFFENET, fields, strict=True)
    }
    assert [blocks[name] for name in ("conv1", "pool1", "conv2", "pool2")] == [27, 51, 83, 131]
    assert [blocks[name] for name in ("conv3", "conv4", "conv5")] == [163, 195, 227]


WITHOUT_SHRINKING = (Phase.explicit, Phase.generate)  # Every example compiles a program.
layers_strategy = st.lists(
    st.builds(WindowedLayer, st.integers(1, 4), st.integers(1, 2), st.integers(0, 1), st.just(1)),
    min_size=1,
    max_size=3,
)


@pytest.mark.slow
@settings(max_examples=8, deadline=None, phases=WITHOUT_SHRINKING)
@given(layers_strategy, st.integers(3, 6), st.integers(3, 6))
def test_the_formula_agrees_with_the_support_of_the_gradient(layers, row, column):
    support = gradient_support(stack(layers), jnp.ones((1, 80, 80, 1)), (row, column))
    spans = [receptive_field(layers).span(unit) for unit in (row, column)]
    assert list(extent(support)) == [(max(first, 0), last) for first, last in spans]


def test_a_dilated_filter_reaches_further_with_holes_between():
    layers = [WindowedLayer(3, dilation=2), WindowedLayer(2, dilation=3)]
    field = receptive_field(layers)
    assert field == (1 + 2 * 2 + 3, 1, 3.5)
    support = gradient_support(stack(layers), jnp.ones((1, 20, 20, 1)), (4, 5))
    assert extent(support) == (field.span(4), field.span(5)) == ((4, 11), (5, 12))
    assert support[4, 5]
    assert not support[5, 5]


@pytest.mark.slow
def test_random_images_show_a_maxs_field_whole():
    layers = [WindowedLayer(3, 1, 1), WindowedLayer(2, 2), WindowedLayer(3, 1, 1)]

    def features(images):
        x = stack(layers[:1])(images)
        batch, height, width, channel = x.shape
        x = x.reshape(batch, height // 2, 2, width // 2, 2, channel).max((2, 4))
        return stack(layers[2:])(jax.nn.relu(x))

    images = jax.random.normal(jax.random.key(0), (64, 16, 16, 1))
    support = gradient_support(features, images, (3, 4))
    field = receptive_field(layers)
    assert extent(support) == (field.span(3), field.span(4))
    first, last = field.span(3)
    left, right = field.span(4)
    assert support[first : last + 1, left : right + 1].all()
    assert support.sum() == field.size**2 == 64


def test_the_whole_image_is_seen_by_a_unit_after_a_dense_layer():
    def features(images):
        flat = images.reshape(len(images), -1)
        return (flat @ jnp.ones((flat.shape[1], 3))).reshape(-1, 1, 1, 3)

    assert gradient_support(features, jnp.ones((1, 5, 6, 2)), (0, 0)).all()


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(ValueError, match=r"unit \(9, 0\) is outside the map of 8x8 units"):
        gradient_support(lambda x: x, jnp.ones((1, 8, 8, 1)), (9, 0))
    with pytest.raises(ValueError, match="the support is empty"):
        extent(gradient_support(lambda x: 0.0 * x, jnp.ones((1, 8, 8, 1)), (0, 0)))
    for layer in (
        WindowedLayer(0),
        WindowedLayer(3, 0),
        WindowedLayer(3, 1, -1),
        WindowedLayer(3, 1, 0, 0),
    ):
        with pytest.raises(ValueError, match="must be at least 1"):
            receptive_field([layer])
