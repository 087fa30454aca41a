import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.metrics.cost import count_parameters
from lecture_models.models.fractalnet import (
    ConvUnit,
    FractalNet,
    column_of,
    column_variables,
    join,
)
from lecture_models.nn.drop_path import fractal_inputs, global_paths, live_convolutions
from tests.random_variables import random_variables

TINY = FractalNet(channels=(3, 4), num_columns=3, num_classes=5, dropout=(0.0, 0.0))


@pytest.fixture(scope="module")
def images():
    return jax.random.uniform(jax.random.key(0), (4, 8, 8, 3), minval=-1.0)


@pytest.fixture(scope="module")
def variables(images):
    return random_variables(TINY, images)


def one_column(column):
    inputs = fractal_inputs(3)
    return global_paths(column, np.broadcast_to(inputs, (2, *inputs.shape)))


@functools.cache
def jitted(training):
    return jax.jit(
        lambda variables, images, paths: TINY.apply(
            variables, images, training, paths, mutable=["batch_stats"]
        )
    )


def shapes(model):
    images = jax.ShapeDtypeStruct((2, 32, 32, 3), jnp.float32)
    return jax.eval_shape(model.init_with_output, jax.random.key(0), images)


def test_dropout_comes_between_a_convolution_and_its_normalization(images):
    """Normalized after dropout, each channel has mean 0 and variance 1 and one value for zeros."""
    unit = ConvUnit(3, 0.5, lambda x: x, jnp.float32)
    kernel = jax.random.normal(jax.random.key(2), (3, 3, 3, 3))
    norm = {"scale": jnp.ones(3), "bias": jnp.zeros(3)}
    statistics = {"bn": {"mean": jnp.zeros(3), "var": jnp.ones(3)}}
    variables = {"params": {"conv": {"kernel": kernel}, "bn": norm}, "batch_stats": statistics}
    rngs = {"dropout": jax.random.key(1)}
    maps, _ = unit.apply(variables, images, True, rngs=rngs, mutable=["batch_stats"])
    np.testing.assert_allclose(maps.mean((0, 1, 2)), np.zeros(3), atol=1e-5)
    np.testing.assert_allclose(maps.var((0, 1, 2)), np.ones(3), atol=1e-2)
    for channel in np.asarray(maps).reshape(-1, 3).T:
        values, counts = np.unique(channel, return_counts=True)
        assert counts.max() / len(channel) == pytest.approx(0.5, abs=0.13)  # Four deviations.
        assert values[counts.argmax()] != 0.0


@pytest.mark.slow
def test_each_block_has_its_own_rate_of_dropout(images, variables):
    fields = {"local_drop": 0.0, "global_ratio": 0.0, "dropout": (0.0, 0.5)}
    model = TINY.clone(**fields)
    first, second = (
        model.apply(
            variables, images, True, rngs={"dropout": jax.random.key(i)}, mutable=["batch_stats"]
        )[0][1]
        for i in (1, 2)
    )
    np.testing.assert_array_equal(first["block1"], second["block1"])
    assert (first["block2"] != second["block2"]).any()


def test_the_rates_of_dropout_rise_from_0_to_40_percent():
    """Larsson et al., 2017, section 4.1."""
    assert FractalNet().dropout == (0.0, 0.1, 0.2, 0.3, 0.4)


def test_fractalnet_20_has_the_parameters_of_its_35_convolutions():
    expected, inputs = 512 * 10 + 10, 3
    for width in (64, 128, 256, 512, 512):
        # Three of the seven begin at the block's input, the others at a join.
        expected += 9 * width * (3 * inputs + 4 * width) + 7 * 2 * width
        inputs = width
    assert count_parameters(shapes(FractalNet())[1]["params"]) == expected


def test_blocks_of_fractalnet_20_halve_32_to_1():
    (logits, activations), _ = shapes(FractalNet())
    assert logits.shape == (2, 10)
    sizes = [activations[f"pool{block}"].shape[1:] for block in range(1, 6)]
    assert sizes == [(16, 16, 64), (8, 8, 128), (4, 4, 256), (2, 2, 512), (1, 1, 512)]


def test_the_deepest_column_of_fractalnet_20_has_20_convolutions():
    images = jax.ShapeDtypeStruct((2, 32, 32, 3), jnp.float32)
    variables = jax.eval_shape(column_of(FractalNet(), 3).init, jax.random.key(0), images)
    assert sum("conv" in name for name in variables["params"]) == 20


@pytest.mark.slow
@pytest.mark.parametrize("column", [1, 2, 3])
def test_a_column_runs_alone_as_in_the_net_that_keeps_only_it(images, variables, column):
    (expected, within), _ = jitted(False)(variables, images, one_column(column))
    alone = jax.jit(column_of(TINY, column).apply)
    logits, activations = alone(column_variables(variables, column), images)
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-5)
    for name, value in activations.items():
        np.testing.assert_allclose(value, within[name], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("column", [1, 3])
def test_extracted_variables_are_those_of_the_columns_network(images, variables, column):
    expected = jax.eval_shape(column_of(TINY, column).init, jax.random.key(0), images)
    found = jax.eval_shape(lambda: column_variables(variables, column))
    assert found == expected


def test_evaluation_takes_the_mean_of_all_columns(images, variables):
    everything = jnp.asarray(np.broadcast_to(fractal_inputs(3), (2, 4, 3)))
    (expected, _), _ = jitted(False)(variables, images, everything)
    logits, _ = jax.jit(TINY.apply)(variables, images)
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-6)


def test_a_block_is_the_recursion_of_equation_2(images, variables):
    """Checks f_3(z) = f_2(f_2(z)) join conv(z); joins that meet are one mean of all inputs."""
    params, statistics = variables["params"], variables["batch_stats"]

    def conv(x, name):
        kernel, norm, running = params[name]["conv"]["kernel"], params[name]["bn"], statistics[name]
        x = jax.lax.conv_general_dilated(
            x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        mean, var, scale, bias = (
            each.reshape(1, 1, 1, -1)
            for each in (running["bn"]["mean"], running["bn"]["var"], norm["scale"], norm["bias"])
        )
        return jnp.maximum((x - mean) / jnp.sqrt(var + 1e-5) * scale + bias, 0.0)

    def f_2(z, half):
        deep = conv(z, f"block1_column3_conv{2 * half - 1}")
        return [conv(deep, f"block1_column3_conv{2 * half}"), conv(z, f"block1_column2_conv{half}")]

    middle = sum(f_2(images, 1)) / 2
    expected = sum([*f_2(middle, 2), conv(images, "block1_column1_conv1")]) / 3
    _, activations = jax.jit(TINY.apply)(variables, images)
    np.testing.assert_allclose(activations["block1"], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_statistics_change_only_where_a_convolution_is_live(images, variables):
    paths = jnp.stack([one_column(2)[0], one_column(3)[0]])
    _, updated = jitted(True)(variables, images, paths)
    live = np.asarray(live_convolutions(paths))
    for name, found in updated["batch_stats"].items():
        block, column, place = (int(part[-1]) for part in name.split("_"))
        row = place * 2 ** (3 - column) - 1
        moved = (found["bn"]["mean"] != variables["batch_stats"][name]["bn"]["mean"]).any()
        assert moved == live[block - 1, row, column - 1]


@pytest.mark.slow
def test_dropped_convolutions_have_no_gradient(images, variables):
    def loss(params):
        (logits, _), _ = jitted(True)({**variables, "params": params}, images, one_column(1))
        return (logits**2).mean()

    gradient = jax.jit(jax.grad(loss))(variables["params"])
    for name, leaves in gradient.items():
        for leaf in jax.tree.leaves(leaves):
            assert jnp.isfinite(leaf).all()
            assert leaf.any() == ("column2" not in name and "column3" not in name)


@pytest.mark.slow
def test_training_draws_another_subnetwork_for_another_key(images, variables):
    step = jax.jit(
        lambda key: TINY.apply(
            variables, images, True, rngs={"structure": key}, mutable=["batch_stats"]
        )[0][0]
    )
    logits = [step(jax.random.key(seed)) for seed in (0, 0, 1, 2, 3)]
    np.testing.assert_array_equal(logits[0], logits[1])
    assert any((logits[0] != each).any() for each in logits[2:])


def test_without_drop_path_training_needs_no_key(images, variables):
    model = FractalNet(
        channels=(3, 4), num_classes=5, dropout=(0.0, 0.0), local_drop=0.0, global_ratio=0.0
    )
    logits, _ = jax.eval_shape(
        lambda: model.apply(variables, images, training=True, mutable=["batch_stats"])
    )[0]
    assert logits.shape == (4, 5)


def test_join_is_the_mean_of_what_survives():
    inputs = [jnp.full((1, 1, 1, 1), value) for value in (1.0, 3.0, 8.0)]
    kept = [jnp.array(each) for each in (True, True, False)]
    assert join(inputs).item() == 4.0
    assert join(inputs, kept).item() == 2.0
    assert join(inputs[:1]).item() == 1.0


def test_features_alone_have_no_classifier(images):
    model = FractalNet(channels=(3, 4), num_classes=0, dropout=(0.0, 0.0))
    (logits, _), variables = jax.eval_shape(model.init_with_output, jax.random.key(0), images)
    assert logits.shape == (4, 0)
    assert "fc" not in variables["params"]


def test_logits_are_float32_in_mixed_precision():
    (logits, activations), _ = shapes(FractalNet(dtype=jnp.bfloat16))
    assert (logits.dtype, activations["pool5"].dtype) == (jnp.float32, jnp.bfloat16)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"channels": (4, 4)}, "they must have the same length"),
        ({"num_columns": 0}, "num_columns is 0"),
        ({"local_drop": 1.5}, "local_drop is 1.5"),
        ({"global_ratio": -0.5}, "global_ratio is -0.5"),
    ],
)
def test_impossible_fields_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        FractalNet(**fields)


def test_images_that_cannot_be_halved_are_refused():
    with pytest.raises(ValueError, match="28x28; for 5 blocks"):
        FractalNet().init(jax.random.key(0), jnp.zeros((1, 28, 28, 3)))


def test_a_column_that_does_not_exist_is_refused(variables):
    with pytest.raises(ValueError, match="column is 4; it must be from 1 to 3"):
        column_of(TINY, 4)
    with pytest.raises(ValueError, match="column is 4"):
        column_variables(variables, 4)
