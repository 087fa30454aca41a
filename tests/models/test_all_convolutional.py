import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.metrics.cost import count_parameters
from lecture_models.models.all_convolutional import (
    ALL_CNN_A,
    ALL_CNN_B,
    ALL_CNN_C,
    BASE_A,
    BASE_B,
    BASE_C,
    BASE_CNN_C,
    CONV_POOL_CNN_C,
    STRIDED_CNN_C,
    AllConvolutional,
    all_convolutional,
    pooled,
)
from lecture_models.nn.convolution_stack import Conv
from tests.random_variables import random_variables

CIFAR = jax.ShapeDtypeStruct((2, 32, 32, 3), jnp.float32)
TINY = ((Conv(3, 3),), (Conv(4, 3), Conv(0, 1)))


def shapes(model):
    return jax.eval_shape(model.init_with_output, jax.random.key(0), CIFAR)


def count(model):
    return count_parameters(shapes(model)[1]["params"])


def convolutions(*layers):
    """Counts the weights and biases of convolutions, each (inputs, outputs, window)."""
    return sum(window**2 * inputs * outputs + outputs for inputs, outputs, window in layers)


LAST = [(192, 192, 3), (192, 192, 1), (192, 10, 1)]
STRIDES = [(96, 96, 3), (192, 192, 3)]


@pytest.mark.parametrize(
    ("model", "layers"),
    [
        (AllConvolutional(pooled(BASE_A)), [(3, 96, 5), (96, 192, 5)]),
        (
            AllConvolutional(pooled(BASE_B)),
            [(3, 96, 5), (96, 96, 1), (96, 192, 5), (192, 192, 1)],
        ),
        (BASE_CNN_C(), [(3, 96, 3), (96, 96, 3), (96, 192, 3), (192, 192, 3)]),
        (STRIDED_CNN_C(), [(3, 96, 3), (96, 96, 3), (96, 192, 3), (192, 192, 3)]),
        (ALL_CNN_A(), [(3, 96, 5), (96, 192, 5), *STRIDES]),
        (
            ALL_CNN_B(),
            [(3, 96, 5), (96, 96, 1), (96, 192, 5), (192, 192, 1), *STRIDES],
        ),
        (ALL_CNN_C(), [(3, 96, 3), (96, 96, 3), (96, 192, 3), (192, 192, 3), *STRIDES]),
    ],
)
def test_parameters_are_those_of_the_tables(model, layers):
    assert count(model) == convolutions(*layers, *LAST)


def test_all_cnn_c_has_1369738_parameters():
    assert count(ALL_CNN_C()) == 1_369_738


def test_conv_pool_has_the_parameters_of_all_cnn():
    assert count(CONV_POOL_CNN_C()) == count(ALL_CNN_C())


@pytest.mark.parametrize("model", [BASE_CNN_C, STRIDED_CNN_C, CONV_POOL_CNN_C, ALL_CNN_C])
def test_the_last_maps_are_6x6(model):
    (logits, activations), _ = shapes(model())
    assert logits.shape == (2, 10)
    sizes = [each.shape[1:] for name, each in activations.items() if "relu" in name]
    assert (6, 6, 10) in sizes
    assert {size[0] for size in sizes} <= {32, 16, 8, 6}


def test_all_cnn_has_no_pooling_and_two_strides():
    strides = [layer.stride for layer in all_convolutional(BASE_C)]
    assert strides == [1, 1, 2, 1, 1, 2, 1, 1, 1]
    assert all(isinstance(layer, Conv) for layer in all_convolutional(BASE_C))


def test_logits_are_the_means_of_the_last_rectified_maps():
    images = jax.random.normal(jax.random.key(0), (2, 8, 8, 3))
    model = AllConvolutional(all_convolutional(TINY), num_classes=5)
    variables = random_variables(model, images)
    logits, activations = model.apply(variables, images)
    np.testing.assert_allclose(logits, activations["relu4"].mean((1, 2)), rtol=1e-5)
    assert logits.min() >= 0.0
    linear = AllConvolutional(all_convolutional(TINY), num_classes=5, rectified_scores=False)
    scores, maps = linear.apply(variables, images)
    np.testing.assert_allclose(scores, maps["conv4"].mean((1, 2)), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_gradients_of_a_training_step_are_finite():
    images = jax.random.normal(jax.random.key(0), (4, 8, 8, 3))
    model = AllConvolutional(all_convolutional(TINY), num_classes=5)
    variables = random_variables(model, images)

    def loss(params):
        rngs = {"dropout": jax.random.key(1)}
        return (model.apply({"params": params}, images, training=True, rngs=rngs)[0] ** 2).mean()

    gradient = jax.jit(jax.grad(loss))(variables["params"])
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
    assert all(leaf.any() for leaf in jax.tree.leaves(gradient))


def test_features_alone_have_no_scores():
    (logits, activations), variables = shapes(ALL_CNN_C(num_classes=0))
    assert logits.shape == (2, 0)
    assert activations["relu8"].shape == (2, 6, 6, 192)
    assert "conv9" not in variables["params"]


def test_logits_are_float32_in_mixed_precision():
    (logits, activations), _ = shapes(ALL_CNN_C(dtype=jnp.bfloat16))
    assert (logits.dtype, activations["conv3"].dtype) == (jnp.float32, jnp.bfloat16)
