"""Tests the network as published in 1998; `test_lenet` tests the fully connected one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.metrics.cost import count_parameters
from lecture_models.models.lenet import (
    C3_TABLE,
    LeNet5,
    OriginalLeNet5,
    radial_logits,
    scaled_tanh,
    uniform_by_fan_in,
)

# LeCun et al., 1998, Table I: rows are maps of S2, columns maps of C3.
TABLE_I = """
X . . . X X X . . X X X X . X X
X X . . . X X X . . X X X X . X
X X X . . . X X X . . X . X X X
. X X X . . X X X X . . X . X X
. . X X X . . X X X X . X X . X
. . . X X X . . X X X X . X X X
"""
PARAMETERS = {"C1": 156, "S2": 12, "C3": 1_516, "S4": 32, "C5": 48_120, "F6": 10_164}


@pytest.fixture(scope="module")
def images():
    return jax.random.uniform(jax.random.key(0), (3, 28, 28, 1), minval=-1.0)


@pytest.fixture(scope="module")
def variables(images):
    return jax.jit(OriginalLeNet5().init)(jax.random.key(1), images)


@pytest.fixture(scope="module")
def outputs(images, variables):
    return jax.jit(OriginalLeNet5().apply)(variables, images)


def test_maps_are_connected_as_in_table_1():
    rows = [row.split() for row in TABLE_I.split("\n") if row]
    columns = [tuple(i for i in range(6) if rows[i][j] == "X") for j in range(16)]
    assert tuple(columns) == C3_TABLE


@pytest.mark.slow
def test_its_layers_have_60000_trainable_parameters_and_its_output_none(variables):
    counts = {name: count_parameters(layer) for name, layer in variables["params"].items()}
    assert counts == PARAMETERS
    assert sum(counts.values()) == 60_000


def test_maps_have_the_sizes_of_figure_2(outputs):
    logits, activations = outputs
    assert logits.shape == (3, 10)
    shapes = {name: value.shape[1:] for name, value in activations.items()}
    assert shapes == {
        "C1": (28, 28, 6),
        "S2": (14, 14, 6),
        "C3": (10, 10, 16),
        "S4": (5, 5, 16),
        "C5": (120,),
        "F6": (84,),
    }


def test_a_map_of_c3_changes_only_with_the_maps_it_is_connected_to(images, variables):
    network = OriginalLeNet5(num_classes=0)

    @jax.jit
    def c3(bias_of_s2):
        params = {name: variables["params"][name] for name in ("C1", "S2", "C3", "S4")}
        params["S2"] = {**params["S2"], "bias": bias_of_s2}
        return network.apply({"params": params}, images)[1]["C3"]

    before = c3(jnp.zeros(6))
    for source in range(6):
        changed = (c3(jnp.zeros(6).at[source].set(0.5)) != before).any(axis=(0, 1, 2))
        assert changed.tolist() == [source in seen for seen in C3_TABLE]


@pytest.mark.slow
def test_a_full_table_is_the_full_convolution(images):
    full, tabled = LeNet5(), LeNet5(connections=(tuple(range(6)),) * 16)
    variables = full.init(jax.random.key(1), images)
    params = dict(variables["params"])
    kernel = params["C3"]["kernel"]
    params["C3"] = {
        "kernel": kernel.swapaxes(2, 3).reshape(5, 5, 96),
        "bias": jnp.arange(16.0) / 16.0,
    }
    ours = jax.jit(tabled.apply)({"params": params}, images)[1]["C3"]
    params["C3"] = {**params["C3"], "kernel": kernel}
    expected = jax.jit(full.apply)({"params": params}, images)[1]["C3"]
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_subsampling_scales_the_sum_of_four_adds_a_bias_and_squashes(images, variables):
    params = dict(variables["params"])
    params["S2"] = {"coefficient": jnp.arange(6.0) / 4.0, "bias": jnp.arange(6.0) - 3.0}
    activations = jax.jit(OriginalLeNet5().apply)({"params": params}, images)[1]
    sums = np.asarray(activations["C1"]).reshape(3, 14, 2, 14, 2, 6).sum((2, 4))
    expected = 1.7159 * np.tanh(2.0 / 3.0 * (sums * np.arange(6.0) / 4.0 + np.arange(6.0) - 3.0))
    np.testing.assert_allclose(activations["S2"], expected, atol=1e-5)


def test_scaled_tanh_is_one_at_one_and_steepest_curvature_is_there():
    np.testing.assert_allclose(scaled_tanh(jnp.array([-1.0, 0.0, 1.0])), [-1, 0, 1], atol=1e-4)
    points = jnp.linspace(0.0, 3.0, 3001)
    curvature = jnp.abs(jax.vmap(jax.grad(jax.grad(scaled_tanh)))(points))
    assert abs(float(points[curvature.argmax()]) - 1.0) < 0.02


def test_a_class_whose_code_is_matched_has_distance_0_and_the_others_do_not():
    codes = []
    for label in range(10):
        bits = [bin((label + 1) & place).count("1") for place in range(84)]
        codes.append([(-1.0) ** bit for bit in bits])
    logits = np.asarray(radial_logits(jnp.array(codes), 10))
    np.testing.assert_array_equal(np.diag(logits), np.zeros(10))
    others = logits[~np.eye(10, dtype=bool)] / -4.0  # Places that differ.
    assert 40 <= others.min() <= others.max() <= 44


def test_radial_logits_are_squared_distances_by_hand():
    # Codes of length 2 for labels 0 and 1: (1, -1) and (1, 1).
    logits = radial_logits(jnp.array([[2.0, 0.5]]), 2)
    np.testing.assert_allclose(logits, [[-(1.0 + 2.25), -(1.0 + 0.25)]])


def test_initial_weights_lie_within_2_4_over_the_inputs_of_a_unit(variables):
    params = variables["params"]
    bounds = {"C1": 2.4 / 25, "C5": 2.4 / 400, "F6": 2.4 / 120}
    for name, bound in bounds.items():
        largest = float(jnp.abs(params[name]["kernel"]).max())
        assert 0.9 * bound < largest <= bound
    first_three, all_six = params["C3"]["kernel"][..., :3], params["C3"]["kernel"][..., -6:]
    assert 0.9 * 2.4 / 75 < float(jnp.abs(first_three).max()) <= 2.4 / 75
    assert 0.9 * 2.4 / 150 < float(jnp.abs(all_six).max()) <= 2.4 / 150
    assert float(jnp.abs(params["S4"]["coefficient"]).max()) <= 2.4 / 4
    assert uniform_by_fan_in(jax.random.key(0), (4, 2)).shape == (4, 2)


def test_every_parameter_changes_the_logits(images, variables):
    def spread(variables):
        return OriginalLeNet5().apply(variables, images)[0].std(axis=0).sum()

    gradients = jax.jit(jax.grad(spread))(variables)
    assert all(jnp.abs(leaf).max() > 0 for leaf in jax.tree.leaves(gradients))


@pytest.mark.slow
@pytest.mark.parametrize("network", [LeNet5, OriginalLeNet5])
def test_gradient_to_the_image_is_finite_and_not_zero(network, images):
    variables = jax.jit(network().init)(jax.random.key(2), images)
    gradient = jax.jit(jax.grad(lambda images: network().apply(variables, images)[0][:, 0].sum()))(
        images
    )
    assert jnp.isfinite(gradient).all()
    assert (gradient != 0.0).any()


@pytest.mark.parametrize("network", [LeNet5, OriginalLeNet5])
def test_nothing_differs_in_training(network, images):
    variables = jax.jit(network().init)(jax.random.key(2), images)
    apply = jax.jit(network().apply, static_argnums=2)
    np.testing.assert_array_equal(
        apply(variables, images, True)[0], apply(variables, images, False)[0]
    )


@pytest.mark.parametrize("network", [LeNet5, OriginalLeNet5])
def test_without_classes_any_size_is_taken(network):
    odd = jax.ShapeDtypeStruct((2, 41, 30, 3), jnp.float32)
    (logits, activations), variables = jax.eval_shape(
        lambda images: network(num_classes=0).init_with_output(jax.random.key(0), images), odd
    )
    assert logits.shape == (2, 0)
    assert activations["S4"].shape == (2, 8, 5, 16)
    assert set(variables["params"]) <= {"C1", "S2", "C3", "S4"}


def test_a_table_that_names_an_absent_map_is_refused(images):
    with pytest.raises(ValueError, match="connections name map 6; it must be at most 5"):
        LeNet5(connections=((0, 6),)).init(jax.random.key(0), images)


def test_more_classes_than_codes_are_refused():
    with pytest.raises(
        ValueError, match="num_classes is 128; with radial_output it must be at most 127"
    ):
        radial_logits(jnp.zeros((1, 84)), 128)


def test_computed_in_bfloat16_parameters_and_logits_stay_float32():
    network = OriginalLeNet5(dtype=jnp.bfloat16)
    images = jax.ShapeDtypeStruct((2, 28, 28, 1), jnp.float32)
    (logits, activations), variables = jax.eval_shape(
        lambda images: network.init_with_output(jax.random.key(0), images), images
    )
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype("float32")}
    assert (logits.dtype, activations["F6"].dtype) == (jnp.float32, jnp.bfloat16)
