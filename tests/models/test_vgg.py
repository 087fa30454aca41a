import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.metrics.cost import count_parameters, multiply_adds
from lecture_models.metrics.receptive_field import extent, gradient_support
from lecture_models.models.vgg import VGG, VGG_A, VGG_A_LRN, VGG_B, VGG_C, VGG_D, VGG_E
from lecture_models.nn.local_response_norm import krizhevsky_norm
from lecture_models.nn.pooling import mean_pool
from tests.models.networks import described, filled, image_shape, outputs, pictures, rectifiers

SMALL = VGG(stages=((4, (3, 3)), (6, (3, 1))), num_classes=5, hidden=16)

# Lecture 004, the table of VGG-16: shape, and weights without biases.
MEMORY = (
    ("image", (224, 224, 3), 0),
    ("conv1_1", (224, 224, 64), 1_728),
    ("conv1_2", (224, 224, 64), 36_864),
    ("pool1", (112, 112, 64), 0),
    ("conv2_1", (112, 112, 128), 73_728),
    ("conv2_2", (112, 112, 128), 147_456),
    ("pool2", (56, 56, 128), 0),
    ("conv3_1", (56, 56, 256), 294_912),
    ("conv3_2", (56, 56, 256), 589_824),
    ("conv3_3", (56, 56, 256), 589_824),
    ("pool3", (28, 28, 256), 0),
    ("conv4_1", (28, 28, 512), 1_179_648),
    ("conv4_2", (28, 28, 512), 2_359_296),
    ("conv4_3", (28, 28, 512), 2_359_296),
    ("pool4", (14, 14, 512), 0),
    ("conv5_1", (14, 14, 512), 2_359_296),
    ("conv5_2", (14, 14, 512), 2_359_296),
    ("conv5_3", (14, 14, 512), 2_359_296),
    ("pool5", (7, 7, 512), 0),
    ("fc6", (4096,), 102_760_448),
    ("fc7", (4096,), 16_777_216),
    ("fc8", (1000,), 4_096_000),
)


@pytest.mark.parametrize(
    ("network", "layers", "parameters"),
    [
        (VGG_A, 11, 132_863_336),
        (VGG_A_LRN, 11, 132_863_336),
        (VGG_B, 13, 133_047_848),
        (VGG_C, 16, 133_638_952),
        (VGG_D, 16, 138_357_544),
        (VGG_E, 19, 143_667_240),
    ],
)
def test_every_column_of_table_1_has_its_layers_and_parameters(network, layers, parameters):
    params = described(network(), 224)["params"]
    assert (len(params), count_parameters(params)) == (layers, parameters)
    assert rectifiers(network(), 224) == layers - 1


def test_the_22_rows_of_vgg_16_have_the_lectures_shapes_and_weights():
    logits, activations = outputs(VGG_D(), 224)
    found = {"image": (224, 224, 3), **activations, "fc8": logits}
    params = described(VGG_D(), 224)["params"]
    rows = [
        (name, found[name], params[name]["kernel"].size if name in params else 0)
        for name, _, _ in MEMORY
    ]
    assert rows == list(MEMORY)


def test_the_rows_add_to_138_million_weights_but_to_15_million_values_not_24():
    assert sum(weights for _, _, weights in MEMORY) == 138_344_128
    assert sum(math.prod(shape) for _, shape, _ in MEMORY) == 15_237_608


def test_vgg_19_costs_19_6_billion_multiply_adds():
    variables = described(VGG_E(), 224)
    assert multiply_adds(VGG_E().apply, variables, image_shape(224)) == 19_632_062_464


def test_without_classes_vgg_19_is_its_16_convolutions():
    params = described(VGG_E(num_classes=0), 64)["params"]
    names = {f"conv{stage}_{layer}" for stage in (1, 2) for layer in (1, 2)}
    names |= {f"conv{stage}_{layer}" for stage in (3, 4, 5) for layer in (1, 2, 3, 4)}
    assert set(params) == names
    assert count_parameters(params) == 20_024_384


def test_without_classes_it_takes_any_size():
    logits, activations = outputs(VGG_E(num_classes=0), 77)
    assert logits == (0,)
    assert [activations[f"pool{stage}"][0] for stage in range(1, 6)] == [38, 19, 9, 4, 2]


def test_activations_are_named_layer_by_layer():
    assert list(outputs(SMALL, 8)[1]) == [
        *("conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1"),
        *("conv2_1", "relu2_1", "conv2_2", "relu2_2", "pool2"),
        *("fc6", "relu6", "fc7", "relu7"),
    ]


def test_activations_are_taken_before_and_after_the_nonlinearity():
    _, activations = jax.jit(SMALL.apply)(filled(SMALL, 8), pictures(8))
    np.testing.assert_array_equal(activations["relu2_1"], jnp.maximum(activations["conv2_1"], 0.0))
    assert activations["conv2_1"].min() < 0.0


@pytest.mark.slow
@pytest.mark.parametrize(("layers", "side"), [(2, 5), (3, 7)])
def test_two_stacked_3x3_convolutions_see_5x5_and_three_see_7x7(layers, side):
    network = VGG(stages=((3, (3,) * layers),), num_classes=0)
    variables = filled(network, 16)

    def features(images):
        return network.apply(variables, images)[1][f"conv1_{layers}"]

    support = gradient_support(features, pictures(16, batch=8), (8, 8))
    first, last = 8 - side // 2, 8 + side // 2
    assert extent(support) == ((first, last), (first, last))


@pytest.mark.parametrize(("layers", "stacked", "single", "side"), [(2, 18, 25, 5), (3, 27, 49, 7)])
def test_the_stack_has_fewer_weights_than_the_one_filter(layers, stacked, single, side):
    channels = 3  # As many as the image has.

    def weights(filters):
        params = described(VGG(stages=((channels, filters),), num_classes=0), 16)["params"]
        return sum(layer["kernel"].size for layer in params.values())

    assert weights((3,) * layers) == stacked * channels**2
    assert weights((side,)) == single * channels**2


def test_a_lrn_normalizes_the_first_rectified_maps():
    assert list(outputs(VGG_A_LRN(num_classes=0), 32)[1])[:4] == [
        *("conv1_1", "relu1_1", "norm1", "pool1")
    ]
    network = VGG_A_LRN(stages=((8, (3,)),), num_classes=0)
    activations = jax.jit(network.apply)(filled(network, 8), 100.0 * pictures(8))[1]
    expected = krizhevsky_norm(activations["relu1_1"])
    np.testing.assert_allclose(activations["norm1"], expected, rtol=1e-6)
    assert (expected < activations["relu1_1"] / 2.0**0.75 * 0.999).any()


def test_pooling_is_a_field():
    variables, images = filled(SMALL, 8), pictures(8)
    _, largest = jax.jit(SMALL.apply)(variables, images)
    _, mean = jax.jit(SMALL.clone(pool=mean_pool).apply)(variables, images)
    np.testing.assert_allclose(mean["pool1"], mean_pool(mean["relu1_2"], 2, 2), rtol=1e-6)
    assert (mean["pool1"] <= largest["pool1"]).all()


def test_dropout_changes_the_logits_in_training_only():
    variables, images = filled(SMALL, 8), pictures(8)
    apply = jax.jit(SMALL.apply, static_argnums=2)
    dropped = [
        apply(variables, images, True, rngs={"dropout": jax.random.key(seed)}) for seed in (0, 1)
    ]
    assert (dropped[0][0] != dropped[1][0]).any()
    np.testing.assert_array_equal(dropped[0][1]["relu6"], dropped[1][1]["relu6"])
    plain, keyed = (
        apply(variables, images),
        apply(variables, images, False, rngs={"dropout": jax.random.key(0)}),
    )
    np.testing.assert_array_equal(plain[0], keyed[0])


def test_dropout_keeps_the_expected_logits_of_a_linear_layer():
    # fc7 is linear in the dropped relu6, so the mean over masks is the undropped value.
    variables, images = filled(SMALL, 8), pictures(8, batch=1)
    _, plain = jax.jit(SMALL.apply)(variables, images)
    keys = jax.random.split(jax.random.key(0), 4000)

    def fc7(key):
        return SMALL.apply(variables, images, True, rngs={"dropout": key})[1]["fc7"]

    values = jax.jit(jax.vmap(fc7))(keys)
    tolerance = 5.0 * float(values.std(0).max()) / math.sqrt(len(keys))
    np.testing.assert_allclose(values.mean(0), plain["fc7"], atol=tolerance)


def test_gradient_to_the_image_is_finite_and_not_zero():
    variables = filled(SMALL, 8)
    gradient = jax.jit(jax.grad(lambda images: SMALL.apply(variables, images)[0].sum()))(
        pictures(8)
    )
    assert jnp.isfinite(gradient).all()
    assert (gradient != 0.0).any()


def test_computed_in_bfloat16_parameters_and_logits_stay_float32():
    network = SMALL.clone(dtype=jnp.bfloat16)
    variables = described(network, 8)
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype("float32")}
    logits, activations = jax.eval_shape(network.apply, variables, image_shape(8))
    assert (logits.dtype, activations["conv1_1"].dtype) == (jnp.float32, jnp.bfloat16)


def test_an_image_too_small_for_five_poolings_is_refused():
    with pytest.raises(ValueError, match="maps of side 1 with padding 0"):
        described(VGG_A(num_classes=0), 31)


@pytest.mark.slow
def test_mirrored_borders_leave_a_gray_picture_gray_and_zeros_do_not():
    gray = jnp.full((1, 8, 8, 3), 0.5)
    stages = ((4, (3,)),)
    variables = jax.jit(VGG(stages, num_classes=0).init)(jax.random.key(0), gray)
    spread = {}
    for padding in ("REFLECT", "SAME"):
        _, maps = VGG(stages, num_classes=0, padding=padding).apply(variables, gray)
        spread[padding] = float(np.ptp(maps["conv1_1"], axis=(1, 2)).max())
    assert spread["REFLECT"] < 1e-6
    assert spread["SAME"] > 0.01
