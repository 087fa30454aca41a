import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from lecture_models.nn.convolution_stack import Conv, Pool, mean_scores, run_stack
from tests.random_variables import random_variables


class Net(nn.Module):
    """Applies a stack alone."""

    layers: tuple
    num_classes: int = 3
    dropout: float = 0.5

    @nn.compact
    def __call__(self, x, training=False):
        return run_stack(
            self.layers, x, self.num_classes, nn.relu, self.dropout, training, jnp.float32
        )


@pytest.fixture(scope="module")
def images():
    return jax.random.normal(jax.random.key(0), (2, 8, 8, 2))


def shapes(layers, images, **fields):
    (x, activations), variables = jax.eval_shape(
        Net(layers, **fields).init_with_output, jax.random.key(0), images
    )
    return x.shape, activations.keys(), variables["params"]


def test_layers_are_named_by_place_or_by_their_own_name(images):
    layers = (Conv(4, 3), Pool(), Conv(5, 1, name="cccp1"), Conv(0, 1))
    shape, names, params = shapes(layers, images)
    assert shape == (2, 4, 4, 3)
    assert names == {"conv1", "relu1", "pool1", "cccp1", "relu_cccp1", "conv3", "relu3"}
    assert params.keys() == {"conv1", "cccp1", "conv3"}


def test_pooling_by_3_and_2_halves_even_sides(images):
    assert shapes((Pool(), Pool(), Conv(4, 1)), images)[0] == (2, 2, 2, 4)


def test_unpadded_convolutions_lose_the_border(images):
    assert shapes((Conv(4, 3, padded=False),), images)[0] == (2, 6, 6, 4)


def test_without_classes_their_convolution_is_skipped(images):
    shape, _, params = shapes((Conv(4, 3), Conv(0, 1)), images, num_classes=0)
    assert shape == (2, 8, 8, 4)
    assert params.keys() == {"conv1"}


def test_dropout_follows_layers_of_stride_2_alone(images):
    def training_differs(layer):
        model = Net((layer,))
        variables = random_variables(model, images)
        rngs = {"dropout": jax.random.key(1)}
        trained, _ = model.apply(variables, images, training=True, rngs=rngs)
        return bool((trained != model.apply(variables, images)[0]).any())

    assert training_differs(Conv(4, 3, stride=2))
    assert training_differs(Pool())
    assert not training_differs(Conv(4, 3))
    assert not training_differs(Pool(stride=1))


def test_kernels_start_with_the_deviation_of_he_et_al(images):
    """He et al., 2015, Eq. 10: the variance is 2 over the number of inputs of a unit."""
    kernel = Net((Conv(400, 3),)).init(jax.random.key(1), images)["params"]["conv1"]["kernel"]
    assert float(kernel.std()) == pytest.approx((2.0 / (9 * 2)) ** 0.5, rel=0.03)


def test_scores_are_means_over_pixels():
    x = jax.random.normal(jax.random.key(1), (2, 4, 5, 3))
    np.testing.assert_allclose(mean_scores(x, 3), np.asarray(x).mean((1, 2)), rtol=1e-5, atol=1e-6)
    assert mean_scores(x, 0).shape == (2, 0)
