"""Tests the masked autoencoder: causality, normalization, and sampling in one pass."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.losses.reconstruction import bernoulli_cross_entropy
from lecture_models.metrics.cost import count_parameters
from lecture_models.models.made import MADE
from lecture_models.nn.masked_dense import MaskedDense, degree_mask, spread_degrees

NETWORKS = [MADE((40,)), MADE((40, 30)), MADE((11, 5), direct=False), MADE((40,), direct=False)]
SHAPE = (3, 3, 1)


def random_params(network, shape=SHAPE, scale=1.0):
    shapes = jax.eval_shape(network.init, jax.random.key(0), jnp.zeros((1, *shape)))["params"]
    generator = np.random.default_rng(0)
    return jax.tree.map(
        lambda leaf: (scale * generator.normal(size=leaf.shape)).astype(np.float32), shapes
    )


def all_images(shape=SHAPE):
    return np.asarray(list(itertools.product([-1.0, 1.0], repeat=int(np.prod(shape))))).reshape(
        -1, *shape
    )


def log_probabilities(network, params):
    images = jnp.asarray(all_images(), jnp.float32)
    logits = jax.jit(network.apply)({"params": params}, images)
    return -np.asarray(bernoulli_cross_entropy(logits, images))


@pytest.mark.parametrize("network", NETWORKS)
def test_no_logit_depends_on_its_own_pixel_or_a_later_one(network):
    params = random_params(network, (4, 4, 1))
    image = np.random.default_rng(1).normal(size=16).astype(np.float32)

    def logits(pixels):
        return network.apply({"params": params}, pixels.reshape(1, 4, 4, 1)).reshape(-1)

    jacobian = np.asarray(jax.jit(jax.jacobian(logits))(image))
    assert np.all(np.triu(jacobian) == 0.0)
    assert np.count_nonzero(np.tril(jacobian, -1)) > 30  # Of 120.


@pytest.mark.parametrize("network", NETWORKS[:2])
def test_the_probabilities_of_all_images_add_up_to_one(network):
    log_p = log_probabilities(network, random_params(network))
    assert np.exp(log_p).sum() == pytest.approx(1.0, abs=1e-5)
    assert log_p.std() > 0.5


@pytest.mark.parametrize("network", NETWORKS[:3])
def test_samples_have_the_probabilities_of_the_network(network):
    params, count = random_params(network, scale=0.4), 40_000
    samples = np.asarray(
        jax.jit(network.sample, static_argnums=(2, 3))(params, jax.random.key(3), count, SHAPE)
    )
    assert set(np.unique(samples)) == {-1.0, 1.0}
    codes = (samples.reshape(count, -1) > 0) @ (2 ** np.arange(9)[::-1])
    counts = np.bincount(codes, minlength=512)
    expected = count * np.exp(log_probabilities(network, params))
    common = expected >= 5.0
    chi_square = ((counts - expected) ** 2 / expected)[common].sum()
    degrees = common.sum() - 1
    assert abs(chi_square - degrees) < 4.0 * np.sqrt(2.0 * degrees)


def test_a_network_of_two_layers_has_the_parameters_of_its_matrices():
    params = random_params(MADE((40, 30)))
    assert count_parameters(params) == 9 * 40 + 40 + 40 * 30 + 30 + 30 * 9 + 9 + 9 * 9


def test_degrees_cover_the_sequence_evenly():
    assert spread_degrees(8, 5) == (1, 1, 2, 2, 3, 3, 4, 4)
    assert degree_mask((1, 2), (1, 2)).tolist() == [[True, True], [False, True]]
    assert degree_mask((1, 2), (1, 2), strict=True).tolist() == [[False, True], [False, False]]


def test_one_pixel_and_a_wrong_number_of_inputs_are_refused():
    with pytest.raises(ValueError, match="a sequence has 1 elements; it must have at least 2"):
        spread_degrees(4, 1)
    layer = MaskedDense((1, 2), (1, 2))
    with pytest.raises(ValueError, match="there are 3 inputs with 2 degrees"):
        layer.init(jax.random.key(0), jnp.zeros((1, 3)))
