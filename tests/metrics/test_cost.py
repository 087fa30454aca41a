import functools

import jax
import jax.numpy as jnp
import pytest
from flax import linen as nn

from lecture_models.metrics.cost import (
    count_parameters,
    multiply_adds,
    multiply_adds_and_shapes,
)
from lecture_models.models.lenet import LeNet5


def shape(*sizes):
    return jax.ShapeDtypeStruct(sizes, jnp.float32)


def cost(layer, *sizes):
    variables = jax.eval_shape(layer.init, jax.random.key(0), shape(*sizes))
    return multiply_adds(layer.apply, variables, shape(*sizes))


def test_ten_5x5_filters_of_three_channels_have_760_parameters():
    layer = nn.Conv(10, (5, 5), padding=2)
    params = jax.eval_shape(layer.init, jax.random.key(0), shape(1, 32, 32, 3))
    assert count_parameters(params) == 760


def test_arrays_and_their_shapes_count_alike():
    assert count_parameters({"a": jnp.zeros((2, 3)), "b": jnp.zeros(())}) == 7
    assert count_parameters({"a": shape(2, 3), "b": shape()}) == 7


def test_a_matrix_product():
    assert multiply_adds(jnp.matmul, shape(5, 7), shape(7, 3)) == 5 * 7 * 3
    assert multiply_adds(jnp.matmul, shape(4, 5, 7), shape(4, 7, 3)) == 4 * 5 * 7 * 3


def test_a_convolution_is_outputs_times_filter_the_padding_included():
    assert cost(nn.Conv(8, (3, 3), padding=1), 2, 16, 16, 4) == 2 * 16 * 16 * 8 * 3 * 3 * 4
    assert cost(nn.Conv(8, (3, 3), strides=2, padding=1), 1, 16, 16, 4) == 8 * 8 * 8 * 3 * 3 * 4


def test_groups_divide_the_cost():
    full = cost(nn.Conv(8, (3, 3)), 1, 10, 10, 4)
    assert cost(nn.Conv(8, (3, 3), feature_group_count=2), 1, 10, 10, 4) == full // 2
    assert cost(nn.Conv(8, (3, 3), feature_group_count=4), 1, 10, 10, 4) == full // 4


def test_a_dilated_filter_costs_its_own_elements():
    full = cost(nn.Conv(8, (3, 3), padding=1), 1, 10, 10, 4)
    assert cost(nn.Conv(8, (3, 3), kernel_dilation=2, padding=2), 1, 10, 10, 4) == full


@pytest.mark.parametrize("stride", [2, 3])
def test_a_transposed_convolution_costs_inputs_times_filter(stride):
    layer = nn.ConvTranspose(8, (3, 3), (stride, stride))
    assert cost(layer, 1, 14, 14, 4) == 14 * 14 * 4 * 3 * 3 * 8


def test_the_transpose_of_a_strided_convolution_costs_as_much_as_it():
    layer = nn.Conv(8, (2, 2), strides=2, padding="VALID")
    variables = jax.eval_shape(layer.init, jax.random.key(0), shape(1, 8, 8, 3))
    forward = multiply_adds(layer.apply, variables, shape(1, 8, 8, 3))

    def input_gradient(variables, images):
        return jax.vjp(lambda images: layer.apply(variables, images), images)[1](
            jnp.ones((1, 4, 4, 8))
        )

    assert multiply_adds(input_gradient, variables, shape(1, 8, 8, 3)) == 2 * forward


def test_calls_are_looked_into():
    def product(x, w):
        return x @ w

    with_rule = jax.custom_jvp(product)
    with_rule.defjvps(None, None)
    for wrapped in (jax.jit(product), jax.checkpoint(product), with_rule):
        assert multiply_adds(wrapped, shape(5, 7), shape(7, 3)) == 5 * 7 * 3


def test_a_scan_counts_as_often_as_it_runs():
    def run(x, w):
        return jax.lax.scan(lambda x, _: (x @ w, None), x, None, length=6)[0]

    assert multiply_adds(run, shape(2, 3), shape(3, 3)) == 6 * 2 * 3 * 3


def test_of_a_cond_the_most_expensive_branch_counts():
    def run(pick, x, w):
        return jax.lax.cond(pick > 0, lambda: x @ w @ w, lambda: x @ w)

    assert multiply_adds(run, shape(), shape(2, 3), shape(3, 3)) == 2 * 2 * 3 * 3


def test_a_while_loop_with_products_is_refused_and_one_without_is_free():
    def run(x, w):
        return jax.lax.while_loop(lambda x: x.sum() < 9.0, lambda x: x @ w, x)

    with pytest.raises(ValueError, match="while_loop"):
        multiply_adds(run, shape(2, 3), shape(3, 3))
    doubled = functools.partial(jax.lax.while_loop, lambda x: x < 9.0, lambda x: 2.0 * x)
    assert multiply_adds(doubled, shape()) == 0


def test_pooling_and_nonlinearities_are_free():
    assert multiply_adds(lambda x: nn.relu(nn.max_pool(x, (2, 2), (2, 2))), shape(1, 8, 8, 3)) == 0


def test_lenet5_layer_by_layer():
    images = shape(1, 28, 28, 1)
    variables = jax.eval_shape(LeNet5().init, jax.random.key(0), images)
    convolutions = 28 * 28 * 6 * 25 + 10 * 10 * 16 * 25 * 6
    dense = 400 * 120 + 120 * 84 + 84 * 10
    assert multiply_adds(LeNet5().apply, variables, images) == convolutions + dense
    assert count_parameters(variables) == 61_706


def test_shapes_come_with_the_count():
    count, result = multiply_adds_and_shapes(lambda x, w: {"y": x @ w}, shape(5, 7), shape(7, 3))
    assert (count, result["y"].shape) == (5 * 7 * 3, (5, 3))
