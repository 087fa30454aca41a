import jax
import jax.numpy as jnp
import pytest

from lecture_models.metrics.cost import count_parameters
from lecture_models.models.cifar_convnet import CifarConvNet
from tests.random_variables import random_variables

CIFAR = jax.ShapeDtypeStruct((2, 32, 32, 3), jnp.float32)


def shapes(**fields):
    model = CifarConvNet(**fields)
    return jax.eval_shape(model.init_with_output, jax.random.key(0), CIFAR)


@pytest.mark.parametrize("window", [3, 5, 7])
def test_volumes_are_the_lectures_for_every_odd_filter(window):
    (logits, activations), _ = shapes(window=window)
    assert {name: each.shape[1:] for name, each in activations.items()} == {
        "conv": (32, 32, 12),
        "relu": (32, 32, 12),
        "pool": (16, 16, 12),
    }
    assert logits.shape == (2, 10)


def test_parameters_are_those_of_a_convolution_and_a_full_layer():
    assert count_parameters(shapes()[1]["params"]) == (27 + 1) * 12 + (16 * 16 * 12 + 1) * 10


def test_ten_5x5_filters_of_a_color_image_have_760_parameters():
    params = shapes(features=10, window=5)[1]["params"]
    assert count_parameters(params["conv"]) == 760


def test_the_rectifier_leaves_nothing_below_zero_and_the_pool_takes_maxima():
    images = jax.random.normal(jax.random.key(0), (2, 4, 4, 3))
    model = CifarConvNet(features=2, num_classes=3)
    _, activations = model.apply(random_variables(model, images), images)
    assert activations["conv"].min() < 0.0 <= activations["relu"].min()
    assert (activations["pool"][:, 0, 0] == activations["relu"][:, :2, :2].max((1, 2))).all()


def test_every_gradient_is_finite_and_not_zero():
    images = jax.random.normal(jax.random.key(0), (2, 4, 4, 3))
    model = CifarConvNet(features=2, num_classes=3)
    variables = random_variables(model, images)
    loss = jax.jit(jax.grad(lambda variables: (model.apply(variables, images)[0] ** 2).sum()))
    for leaf in jax.tree.leaves(loss(variables)):
        assert jnp.isfinite(leaf).all()
        assert leaf.any()


def test_features_alone_have_no_full_layer():
    (logits, _), variables = shapes(num_classes=0)
    assert logits.shape == (2, 0)
    assert variables["params"].keys() == {"conv"}


def test_logits_are_float32_in_mixed_precision():
    (logits, activations), _ = shapes(dtype=jnp.bfloat16)
    assert (logits.dtype, activations["pool"].dtype) == (jnp.float32, jnp.bfloat16)


def test_even_filters_are_refused():
    with pytest.raises(ValueError, match="window is 4"):
        shapes(window=4)
