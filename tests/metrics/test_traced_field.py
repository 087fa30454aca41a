import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from lecture_models.metrics.receptive_field import (
    ReceptiveField,
    WindowedLayer,
    extent,
    gradient_support,
    receptive_field,
)
from lecture_models.metrics.traced_field import (
    ReceptiveFields,
    traced_channel_fields,
    traced_fields,
)
from lecture_models.models.alexnet import AlexNet
from lecture_models.models.squeezenet import SqueezeNet
from lecture_models.models.vgg import VGG_E
from lecture_models.nn.local_response_norm import krizhevsky_norm
from lecture_models.nn.pooling import max_pool, mean_pool


def shape(side, channels=3):
    return jax.ShapeDtypeStruct((1, side, side, channels), jnp.float32)


def fields_of(model, side):
    variables = jax.eval_shape(model.init, jax.random.key(0), shape(side))
    return traced_fields(lambda v, x: model.apply(v, x)[1], variables, shape(side))


def both(field):
    return ReceptiveFields(field, field)


def convolve(x, size, stride=1, padding=0, dilation=1, features=1):
    return jax.lax.conv_general_dilated(
        x,
        jnp.ones((size, size, x.shape[-1], features)),
        (stride, stride),
        [(padding, padding)] * 2,
        rhs_dilation=(dilation, dilation),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def test_a_picture_sees_itself():
    assert traced_fields(lambda x: 2.0 * x, shape(8)) == both(ReceptiveField(1, 1, 0.0))


def test_a_stack_of_layers_has_the_field_of_the_formula():
    def network(x):
        x = nn.relu(convolve(x, 5, 2, 1, 1))
        x = krizhevsky_norm(mean_pool(x, 3, 2, padding=1))
        return convolve(max_pool(x, 2, 1), 3, 1, 2, 2)

    layers = [
        WindowedLayer(5, 2, 1),
        WindowedLayer(3, 2, 1),
        WindowedLayer(2, 1),
        WindowedLayer(3, 1, 2, 2),
    ]
    assert traced_fields(network, shape(64)) == both(receptive_field(layers))


def test_alexnets_fields_are_those_of_its_table_of_layers():
    fields = fields_of(AlexNet(num_classes=0), 227)
    sizes = [fields[f"conv{layer}"].rows.size for layer in (1, 2, 3, 4, 5)]
    assert sizes == [11, 51, 99, 131, 163]
    assert fields["pool5"] == both(fields["pool5"].columns)
    assert fields["pool5"].rows.size == 195


def test_vgg_19_sees_252_pixels_in_its_last_convolution():
    fields = fields_of(VGG_E(num_classes=0), 64)
    layers = []
    for stage, count in enumerate((2, 2, 4, 4, 4), start=1):
        for layer in range(1, count + 1):
            layers.append(WindowedLayer(3, 1, 1))
            assert fields[f"relu{stage}_{layer}"] == both(receptive_field(layers))
        layers.append(WindowedLayer(2, 2))
    assert fields["conv5_4"].rows.size == 252


def test_a_branch_keeps_its_field_beside_a_wider_one():
    model = SqueezeNet(num_classes=0)
    variables = jax.eval_shape(model.init, jax.random.key(0), shape(64))
    fields = traced_channel_fields(
        lambda v, x: model.apply(v, x)[1]["fire2/concat"], variables, shape(64)
    )
    narrow, wide = both(ReceptiveField(7, 4, 3.0)), both(ReceptiveField(15, 4, 3.0))
    assert fields == [narrow] * 64 + [wide] * 64  # 1x1, then 3x3.


def test_branches_that_meet_again_see_what_both_see():
    def network(x):
        wide, narrow = convolve(x, 5, padding=2), convolve(x, 1)
        joined = jnp.concatenate([wide, narrow], axis=-1)
        return jnp.concatenate([nn.relu(joined), narrow + wide[..., :1]], axis=-1)

    sizes = [fields.rows.size for fields in traced_channel_fields(network, shape(8))]
    assert sizes == [5, 1, 5]
    assert traced_fields(lambda x: convolve(network(x), 3), shape(8)).rows.size == 7


def test_a_crop_moves_the_field_and_a_transposed_picture_turns_it():
    field = traced_fields(lambda x: x[:, 3:, 1::2], shape(8))
    assert field == ReceptiveFields(ReceptiveField(1, 1, 3.0), ReceptiveField(1, 2, 1.0))
    turned = traced_fields(lambda x: convolve(x, 3).transpose(0, 2, 1, 3), shape(8))
    assert turned == ReceptiveFields(None, None)  # Rows of the result are not rows of the picture.
    twice = traced_fields(
        lambda x: convolve(x.transpose(0, 2, 1, 3), 3, 2).transpose(0, 2, 1, 3), shape(8)
    )
    assert twice == both(ReceptiveField(3, 2, 1.0))


def test_what_mixes_places_sees_the_whole_picture():
    whole = ReceptiveFields(None, None)
    for network in (
        lambda x: x.reshape(1, -1),
        lambda x: x - x.mean((1, 2), keepdims=True),
        lambda x: jnp.cumsum(x, axis=1)[:, :, ::-1],
        lambda x: jax.nn.softmax(x.reshape(1, 64, 3), axis=1).reshape(1, 8, 8, 3),
        lambda x: jnp.concatenate([x[:, 4:, 4:], x[:, :4, 4:]], axis=1)[:, :, ::-1],
    ):
        assert traced_fields(network, shape(8)) == whole


@pytest.mark.slow
@pytest.mark.parametrize("unit", [(0, 0), (3, 5), (7, 7)])
def test_no_pixel_outside_the_field_reaches_a_unit(unit):
    def network(x):
        x = nn.relu(convolve(x, 3, 2, 1))
        return convolve(jnp.concatenate([x, mean_pool(x, 3, 1, padding=1)], axis=-1), 3, 1, 1)

    images = jnp.ones((1, 16, 16, 1))
    support = gradient_support(network, images, unit)
    fields = traced_fields(network, shape(16, 1))
    spans = [field.span(at) for field, at in zip(fields, unit, strict=True)]
    assert list(extent(support)) == [(max(first, 0), min(last, 15)) for first, last in spans]


def test_arrays_that_do_not_depend_on_the_picture_see_nothing_of_it():
    assert traced_fields(lambda x: jnp.ones((1, 4, 4, 1)), shape(8)) == ReceptiveFields(None, None)
    bias = np.ones((1, 8, 8, 3), np.float32)
    assert traced_fields(lambda v, x: convolve(x + v, 3), bias, shape(8)).rows.size == 3
