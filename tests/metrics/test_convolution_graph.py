import jax
import jax.numpy as jnp
import pytest
from flax import linen as nn

from lecture_models.metrics.convolution_graph import convolution_graph

IMAGES = jax.ShapeDtypeStruct((1, 8, 8, 4), jnp.float32)


class Diamond(nn.Module):
    """Applies a convolution, then one beside two, joined, with a shortcut around all of them."""

    @nn.compact
    def __call__(self, images):
        def convolution(x, name):
            return nn.relu(nn.Conv(4, (3, 3), name=name)(x))

        x = convolution(images, "stem")
        left = convolution(x, "left")
        right = convolution(convolution(x, "right1"), "right2")
        convolution(images, "unused")
        return (left + right) / 2.0 + images * jax.nn.sigmoid(images)


def graph(function):
    variables = jax.eval_shape(Diamond().init, jax.random.key(0), IMAGES)
    return convolution_graph(function, variables, IMAGES)


def test_a_diamond_with_a_shortcut_has_three_paths():
    assert graph(Diamond().apply) == (4, 3, 3)


def test_calls_are_followed():
    assert graph(jax.jit(Diamond().apply)) == (4, 3, 3)


def test_two_in_a_row_multiply_their_paths():
    def twice(variables, images):
        return Diamond().apply(variables, Diamond().apply(variables, images))

    # The path of the shortcuts alone meets no convolution.
    assert graph(twice).depth == 6
    assert graph(twice).paths == 3 * 3


def test_no_convolution_is_one_path_of_depth_0():
    assert convolution_graph(lambda x: 2.0 * x, IMAGES) == (0, 0, 1)


def test_a_loop_of_convolutions_is_refused():
    def run(kernel, images):
        def body(x, _):
            return jax.lax.conv(x, kernel, (1, 1), "SAME"), None

        return jax.lax.scan(body, images, None, length=2)[0]

    kernel = jax.ShapeDtypeStruct((8, 8, 3, 3), jnp.float32)
    with pytest.raises(ValueError, match="there are convolutions in a scan"):
        convolution_graph(run, kernel, IMAGES)
