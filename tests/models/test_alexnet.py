import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.metrics.cost import count_parameters, multiply_adds
from lecture_models.models.alexnet import AlexNet, AlexNetOneTower
from tests.models.networks import described, filled, image_shape, outputs, pictures, rectifiers

SMALL = AlexNet(num_classes=5, hidden=16)
SIDE = 67  # The smallest that the filters of conv1 tile and the poolings leave something of.


def test_one_tower_and_two_groups_have_their_parameters():
    counts = [
        count_parameters(described(network(), 227)["params"])
        for network in (AlexNetOneTower, AlexNet)
    ]
    assert counts == [62_378_344, 60_965_224]


def test_maps_shrink_from_227_to_6_and_to_1000_classes():
    logits, activations = outputs(AlexNet(), 227)
    names = ["conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5"]
    assert [activations[name][0] for name in names] == [55, 27, 27, 13, 13, 13, 13, 6]
    widths = [activations[f"conv{layer}"][-1] for layer in range(1, 6)]
    assert widths == [96, 256, 384, 384, 256]
    assert (activations["fc6"], activations["fc7"], logits) == ((4096,), (4096,), (1000,))


def test_it_has_659272_units_that_the_lecture_rounds_to_650000():
    logits, activations = outputs(AlexNet(), 227)
    layers = [f"conv{layer}" for layer in range(1, 6)] + ["fc6", "fc7"]
    assert sum(math.prod(activations[name]) for name in layers) + logits[0] == 659_272


def test_224_pixels_are_refused_because_they_give_54_25_positions():
    with pytest.raises(ValueError, match=r"224.*54\.25"):
        described(AlexNet(), 224)


def test_without_classes_any_size_is_taken():
    logits, activations = outputs(AlexNet(num_classes=0), 224)
    assert logits == (0,)
    assert activations["conv1"] == (54, 54, 96)
    assert set(described(AlexNet(num_classes=0), 101)["params"]) == {
        f"conv{layer}" for layer in range(1, 6)
    }


def test_two_groups_halve_the_products_of_three_layers():
    costs = {
        groups: multiply_adds(network.apply, described(network, 227), image_shape(227))
        for groups, network in ((1, AlexNet(groups=1)), (2, AlexNet()))
    }
    conv2 = 27 * 27 * 256 * 96 * 25
    conv4, conv5 = 13 * 13 * 384 * 384 * 9, 13 * 13 * 256 * 384 * 9
    assert costs[1] - costs[2] == (conv2 + conv4 + conv5) // 2
    assert costs[2] == 724_406_816


@pytest.mark.slow
def test_maps_of_a_group_see_only_their_own_half():
    variables, images = filled(SMALL, SIDE), pictures(SIDE)
    _, before = jax.jit(SMALL.apply)(variables, images)
    kernel = variables["params"]["conv1"]["kernel"]
    variables["params"]["conv1"]["kernel"] = kernel.at[..., 60:].mul(-1.0)
    _, after = jax.jit(SMALL.apply)(variables, images)
    # Maps 48 on are of the second group; normalization carries the change down to 58.
    np.testing.assert_array_equal(before["conv2"][..., :128], after["conv2"][..., :128])
    assert (before["conv2"][..., 128:] != after["conv2"][..., 128:]).any()
    assert (before["conv3"] != after["conv3"]).any(axis=(0, 1, 2)).all()


def test_order_is_rectifier_normalization_pooling():
    assert list(outputs(SMALL, SIDE)[1]) == [
        *("conv1", "relu1", "norm1", "pool1", "conv2", "relu2", "norm2", "pool2"),
        *("conv3", "relu3", "conv4", "relu4", "conv5", "relu5", "pool5"),
        *("fc6", "relu6", "fc7", "relu7"),
    ]
    assert rectifiers(SMALL, SIDE) == 7


@pytest.mark.slow
def test_initial_values_are_those_of_section_5():
    params = jax.jit(SMALL.init)(jax.random.key(0), pictures(SIDE))["params"]
    ones = {name for name, layer in params.items() if (layer["bias"] == 1.0).all()}
    assert ones == {"conv2", "conv4", "conv5", "fc6", "fc7"}
    assert all((params[name]["bias"] == 0.0).all() for name in set(params) - ones)
    np.testing.assert_allclose(params["conv3"]["kernel"].std(), 0.01, rtol=0.01)


@pytest.mark.slow
def test_dropout_changes_the_logits_in_training_only():
    variables, images = filled(SMALL, SIDE), pictures(SIDE)
    apply = jax.jit(SMALL.apply, static_argnums=2)
    first, second = (
        apply(variables, images, True, rngs={"dropout": jax.random.key(seed)})[0] for seed in (0, 1)
    )
    assert (first != second).any()
    plain, keyed = (
        apply(variables, images),
        apply(variables, images, False, rngs={"dropout": jax.random.key(0)}),
    )
    np.testing.assert_array_equal(plain[0], keyed[0])


@pytest.mark.slow
def test_gradient_to_the_image_is_finite_and_not_zero():
    variables = filled(SMALL, SIDE)
    gradient = jax.jit(jax.grad(lambda images: SMALL.apply(variables, images)[0].sum()))(
        pictures(SIDE)
    )
    assert jnp.isfinite(gradient).all()
    assert (gradient != 0.0).any()


def test_computed_in_bfloat16_parameters_and_logits_stay_float32():
    network = SMALL.clone(dtype=jnp.bfloat16)
    variables = described(network, SIDE)
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype("float32")}
    logits, activations = jax.eval_shape(network.apply, variables, image_shape(SIDE))
    assert (logits.dtype, activations["pool5"].dtype) == (jnp.float32, jnp.bfloat16)
