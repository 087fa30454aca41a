import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.nn.residual import (
    ResidualBlock,
    basic,
    bottleneck,
    bottleneck_strided_3x3,
    pad_shortcut,
)
from tests.random_variables import random_variables

BASIC = basic(4, 1)


@pytest.fixture(scope="module")
def maps():
    return jax.random.normal(jax.random.key(0), (3, 6, 6, 4))


@pytest.fixture(scope="module")
def variables(maps):
    return random_variables(ResidualBlock(BASIC), maps)


def train(block, variables, maps, keep=None):
    return block.apply(variables, maps, training=True, keep=keep, mutable=["batch_stats"])


@pytest.mark.slow
def test_kernels_start_with_the_deviation_of_he_et_al():
    """He et al., 2015, Eq. 10: the variance is 2 over the number of inputs of a unit."""
    block = ResidualBlock(basic(80, 1))
    params = block.init(jax.random.key(0), jnp.zeros((1, 3, 3, 80)))["params"]
    for name in ("conv1", "conv2"):
        assert float(params[name]["kernel"].std()) == pytest.approx((2.0 / 720) ** 0.5, rel=0.02)


def test_option_a_takes_every_second_pixel_and_adds_channels_of_zeros():
    x = jnp.arange(16.0).reshape(1, 4, 4, 1)
    y = pad_shortcut(x, 3, 2)
    np.testing.assert_array_equal(y[0, :, :, 0], [[0, 2], [8, 10]])
    assert y.shape == (1, 2, 2, 3)
    assert not y[..., 1:].any()


def test_option_a_cannot_remove_channels():
    with pytest.raises(ValueError, match="4 channels and the block 2"):
        pad_shortcut(jnp.zeros((1, 2, 2, 4)), 2, 1)


def test_a_block_with_a_branch_of_zeros_is_the_rectifier(maps, variables):
    silent = {**variables, "params": jax.tree.map(jnp.zeros_like, variables["params"])}
    y = ResidualBlock(BASIC).apply(silent, maps)
    np.testing.assert_array_equal(y, jnp.maximum(maps, 0.0))


def test_residual_minus_plain_is_the_shortcut(maps):
    plain = ResidualBlock(BASIC, residual=False, preactivation=True)
    residual = ResidualBlock(BASIC, preactivation=True)
    variables = random_variables(plain, maps)
    difference = residual.apply(variables, maps) - plain.apply(variables, maps)
    np.testing.assert_allclose(difference, maps, atol=1e-5)


def test_evaluation_scales_the_branch_by_its_survival(maps):
    block = functools.partial(ResidualBlock, BASIC, preactivation=True)
    variables = random_variables(block(), maps)
    branch = block().apply(variables, maps) - maps
    np.testing.assert_allclose(
        block(survival=0.6).apply(variables, maps), maps + 0.6 * branch, atol=1e-5
    )


def test_training_does_not_scale(maps, variables):
    expected, _ = train(ResidualBlock(BASIC), variables, maps)
    found, _ = train(ResidualBlock(BASIC, survival=0.3), variables, maps, jnp.array(True))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("skip", [False, True])
def test_a_dropped_block_is_its_shortcut_and_changes_no_statistic(maps, variables, skip):
    block = ResidualBlock(BASIC, survival=0.5, skip=skip)
    y, updated = train(block, variables, maps, jnp.array(False))
    np.testing.assert_array_equal(y, jnp.maximum(maps, 0.0))
    jax.tree.map(np.testing.assert_array_equal, updated["batch_stats"], variables["batch_stats"])


@pytest.mark.slow
@pytest.mark.parametrize("skip", [False, True])
def test_a_dropped_block_has_no_gradient_of_its_own(maps, variables, skip):
    block = ResidualBlock(BASIC, survival=0.5, skip=skip)

    def total(params):
        return train(block, {**variables, "params": params}, maps, jnp.array(False))[0].sum()

    assert not any(leaf.any() for leaf in jax.tree.leaves(jax.grad(total)(variables["params"])))


@pytest.mark.slow
@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize(
    "fields",
    [
        {"layers": basic(8, 2)},
        {"layers": basic(8, 2), "preactivation": True},
        {"layers": bottleneck(2, 2), "projection": True, "preactivation": True},
    ],
)
def test_mask_and_cond_give_the_same_numbers(maps, fields, kept):
    blocks = [ResidualBlock(**fields, survival=0.5, skip=skip) for skip in (False, True)]
    variables = random_variables(blocks[0], maps)

    def outcome(block):
        def loss(params):
            y, updated = train(block, {**variables, "params": params}, maps, jnp.array(kept))
            return (y**2).sum(), (y, updated)

        return jax.jit(jax.value_and_grad(loss, has_aux=True))(variables["params"])

    masked, skipped = map(outcome, blocks)
    for left, right in zip(jax.tree.leaves(masked), jax.tree.leaves(skipped), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-4)


def test_initialization_in_training_makes_all_parameters(maps, variables):
    block = ResidualBlock(BASIC, survival=0.5, skip=True)
    init = functools.partial(block.init, training=True, keep=jnp.array(False))
    found = jax.eval_shape(init, jax.random.key(1), maps)
    assert jax.tree.structure(found) == jax.tree.structure(variables)


def shapes(layers, **fields):
    images = jax.ShapeDtypeStruct((2, 8, 8, 16), jnp.float32)
    block = ResidualBlock(layers, **fields)
    y, variables = jax.eval_shape(block.init_with_output, jax.random.key(0), images)
    return y.shape, {name: sorted(found) for name, found in variables["params"].items()}


def test_a_bottleneck_is_four_times_as_wide_as_its_middle():
    shape, _ = shapes(bottleneck(8, 2))
    assert shape == (2, 4, 4, 32)
    assert shapes(bottleneck_strided_3x3(8, 2))[0] == shape


def test_the_stride_of_a_bottleneck_is_in_its_first_layer_or_in_its_3x3():
    assert [layer.stride for layer in bottleneck(8, 2)] == [2, 1, 1]
    assert [layer.stride for layer in bottleneck_strided_3x3(8, 2)] == [1, 2, 1]


def test_a_projection_comes_only_where_the_shape_changes():
    assert "shortcut_conv" not in shapes(basic(16, 1), projection=True)[1]
    for layers in (basic(32, 1), basic(16, 2)):
        assert {"shortcut_conv", "shortcut_bn"} <= shapes(layers, projection=True)[1].keys()


def test_a_preactivation_projection_is_not_normalized_again():
    found = shapes(basic(32, 2), projection=True, preactivation=True)[1]
    assert found.keys() == {"bn1", "conv1", "bn2", "conv2", "shortcut_conv"}


def test_no_convolution_has_a_bias():
    assert {tuple(names) for name, names in shapes(basic(16, 1))[1].items() if "conv" in name} == {
        ("kernel",)
    }
