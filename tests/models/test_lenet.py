import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from lecture_models.models.lenet import LeNet5


@pytest.fixture(scope="module")
def images():
    return jax.random.uniform(jax.random.key(0), (3, 28, 28, 1), minval=-1.0)


@pytest.fixture(scope="module")
def variables(images):
    return jax.jit(LeNet5().init)(jax.random.key(1), images)


@pytest.fixture(scope="module")
def outputs(images, variables):
    return jax.jit(LeNet5().apply)(variables, images)


def test_it_has_the_61706_parameters_of_full_connection(variables):
    assert sum(leaf.size for leaf in jax.tree.leaves(variables["params"])) == 61_706


def test_maps_have_the_sizes_of_figure_2(outputs):
    logits, activations = outputs
    assert logits.shape == (3, 10)
    assert {name: value.shape[1:] for name, value in activations.items()} == {
        "C1": (28, 28, 6),
        "S2": (14, 14, 6),
        "C3": (10, 10, 16),
        "S4": (5, 5, 16),
        "C5": (120,),
        "F6": (84,),
    }


def test_subsampling_takes_means_of_two_by_two_squares(outputs):
    _, activations = outputs
    for before, after in (("C1", "S2"), ("C3", "S4")):
        expected = nn.avg_pool(activations[before], (2, 2), (2, 2))
        np.testing.assert_allclose(activations[after], expected, atol=1e-6)


def test_each_map_is_made_of_the_one_before_it(images, variables, outputs):
    _, maps = outputs
    params = variables["params"]

    def convolve(x, name):
        summed = jax.lax.conv_general_dilated(
            x, params[name]["kernel"], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        return jnp.tanh(summed + params[name]["bias"].reshape(1, 1, 1, -1))

    def multiply(x, name):
        return np.asarray(x) @ np.asarray(params[name]["kernel"]) + np.asarray(params[name]["bias"])

    padded = jnp.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)))
    np.testing.assert_allclose(maps["C1"], convolve(padded, "C1"), atol=1e-5)
    np.testing.assert_allclose(maps["C3"], convolve(maps["S2"], "C3"), atol=1e-5)
    flat = maps["S4"].reshape(3, 400)
    np.testing.assert_allclose(maps["C5"], np.tanh(multiply(flat, "C5")), atol=1e-5)
    np.testing.assert_allclose(maps["F6"], np.tanh(multiply(maps["C5"], "F6")), atol=1e-5)


def test_logits_are_linear_in_f6(variables, outputs):
    logits, activations = outputs
    output = variables["params"]["output"]
    features, kernel = np.asarray(activations["F6"]), np.asarray(output["kernel"])
    np.testing.assert_allclose(logits, features @ kernel + np.asarray(output["bias"]), atol=1e-5)


def test_every_parameter_changes_the_logits(images, variables):
    spread = jax.jit(jax.grad(lambda variables: LeNet5().apply(variables, images)[0].std()))
    gradients = spread(variables)
    assert all(jnp.abs(leaf).max() > 0 for leaf in jax.tree.leaves(gradients))


def test_nonlinearity_is_a_field(images, variables, outputs):
    _, bounded = outputs
    _, rectified = jax.jit(LeNet5(nonlinearity=nn.relu).apply)(variables, images)
    assert bounded["F6"].min() < 0 <= rectified["F6"].min()


def test_images_of_32_pixels_need_no_padding(images, variables, outputs):
    padded = jnp.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)))
    expected, _ = outputs
    logits, _ = jax.jit(LeNet5(padding=0).apply)(variables, padded)
    np.testing.assert_allclose(logits, expected, atol=1e-5)


def test_other_sizes_are_refused():
    with pytest.raises(ValueError, match="28x30 and padding is 2"):
        LeNet5().init(jax.random.key(0), jnp.zeros((1, 28, 30, 1)))
