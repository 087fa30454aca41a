import jax
import jax.numpy as jnp
import numpy as np

from lecture_models.metrics.cost import count_parameters
from lecture_models.models.network_in_network import CIFAR_LAYERS, NetworkInNetwork
from lecture_models.nn.convolution_stack import Conv, Pool
from lecture_models.nn.pooling import max_pool, mean_pool
from tests.random_variables import random_variables

CIFAR = jax.ShapeDtypeStruct((2, 32, 32, 3), jnp.float32)
TINY = (Conv(3, 3, name="conv1"), Conv(4, 1, name="cccp1"), Pool(), Conv(0, 1, name="cccp2"))


def shapes(**fields):
    model = NetworkInNetwork(**fields)
    return jax.eval_shape(model.init_with_output, jax.random.key(0), CIFAR)


def test_it_has_966986_parameters():
    expected, inputs = 0, 3
    for outputs, window in (
        *((192, 5), (160, 1), (96, 1)),
        *((192, 5), (192, 1), (192, 1)),
        *((192, 3), (192, 1), (10, 1)),
    ):
        expected += window**2 * inputs * outputs + outputs
        inputs = outputs
    assert count_parameters(shapes()[1]["params"]) == expected == 966_986


def test_maps_are_32_16_and_8_wide():
    (logits, activations), _ = shapes()
    assert logits.shape == (2, 10)
    found = {name: activations[name].shape[1:] for name in ("cccp2", "pool1", "pool2", "cccp6")}
    assert found == {
        "cccp2": (32, 32, 96),
        "pool1": (16, 16, 96),
        "pool2": (8, 8, 192),
        "cccp6": (8, 8, 10),
    }


def test_the_first_pooling_takes_maxima_and_the_second_means():
    """So it is in the authors' Caffe model; dropout of one half follows both."""
    pools = [layer for layer in CIFAR_LAYERS if isinstance(layer, Pool)]
    assert pools == [Pool(3, 2, max_pool), Pool(3, 2, mean_pool)]
    assert NetworkInNetwork().dropout == 0.5


def test_logits_are_the_means_of_the_last_maps():
    images = jax.random.normal(jax.random.key(0), (2, 8, 8, 3))
    model = NetworkInNetwork(TINY, num_classes=5)
    logits, activations = model.apply(random_variables(model, images), images)
    np.testing.assert_allclose(logits, activations["relu_cccp2"].mean((1, 2)), rtol=1e-5)


def test_gradients_of_a_training_step_are_finite():
    images = jax.random.normal(jax.random.key(0), (4, 8, 8, 3))
    model = NetworkInNetwork(TINY, num_classes=5)
    variables = random_variables(model, images)

    def loss(params):
        rngs = {"dropout": jax.random.key(1)}
        return (model.apply({"params": params}, images, training=True, rngs=rngs)[0] ** 2).mean()

    gradient = jax.jit(jax.grad(loss))(variables["params"])
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
    assert all(leaf.any() for leaf in jax.tree.leaves(gradient))


def test_features_alone_have_no_scores():
    (logits, _), variables = shapes(num_classes=0)
    assert logits.shape == (2, 0)
    assert "cccp6" not in variables["params"]


def test_logits_are_float32_in_mixed_precision():
    (logits, activations), _ = shapes(dtype=jnp.bfloat16)
    assert (logits.dtype, activations["pool2"].dtype) == (jnp.float32, jnp.bfloat16)
