"""Tests PixelRNN: causality, contexts, normalization, and sampling from caches."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.evaluators.pixel_sampling import draw, draw_from_caches, pixel_model
from lecture_models.losses.pixel_likelihood import image_nats
from lecture_models.metrics.cost import count_parameters
from lecture_models.models.pixelrnn import PixelRNN

LAYERS = ("row_lstm", "diagonal_bilstm")
every_layer = pytest.mark.parametrize("layer", LAYERS)


def random_params(network, shape, scale=0.5):
    shapes = jax.eval_shape(network.init, jax.random.key(0), jnp.zeros((1, *shape)))["params"]
    generator = np.random.default_rng(0)
    return jax.tree.map(
        lambda leaf: (scale * generator.normal(size=leaf.shape)).astype(np.float32), shapes
    )


def jacobian_of(network, side):
    params = random_params(network, (side, side, 1))
    image = np.random.default_rng(1).normal(size=side * side).astype(np.float32)

    def logits(pixels):
        return network.apply({"params": params}, pixels.reshape(1, side, side, 1)).reshape(-1)

    return np.asarray(jax.jit(jax.jacobian(logits))(image))


@every_layer
def test_no_logit_depends_on_its_own_pixel_or_a_later_one(layer):
    jacobian = jacobian_of(PixelRNN(3, 2, layer, 4), 5)
    assert np.all(np.triu(jacobian) == 0.0)
    assert np.count_nonzero(np.tril(jacobian, -1)) > 250  # Of 300.


def test_the_diagonal_layers_see_all_pixels_before_and_the_rows_a_triangle():
    """Of a narrow 7x7 first layer, the row LSTM widens the context by a pixel a row."""
    side = 13
    last = side * side - side  # The first pixel of the last row.
    seen = {
        layer: jacobian_of(PixelRNN(2, 1, layer, 4), side)[last, :last].reshape(-1, side) != 0.0
        for layer in LAYERS
    }
    assert seen["diagonal_bilstm"][0].all()
    assert not seen["row_lstm"][-1, -1]
    assert seen["row_lstm"][0, 0]


@every_layer
def test_the_probabilities_of_all_images_add_up_to_one(layer):
    network = PixelRNN(3, 2, layer, 4)
    bits = itertools.product([-1.0, 1.0], repeat=9)
    images = jnp.asarray(list(bits), jnp.float32).reshape(-1, 3, 3, 1)
    logits = jax.jit(network.apply)({"params": random_params(network, (3, 3, 1))}, images)
    log_p = -np.asarray(image_nats(logits, images))
    assert np.exp(log_p).sum() == pytest.approx(1.0, abs=1e-5)
    assert log_p.std() > 0.3


@pytest.mark.parametrize(("layer", "levels"), [*((layer, 2) for layer in LAYERS), (LAYERS[0], 4)])
def test_sampling_from_caches_draws_the_same_pixels(layer, levels):
    network = PixelRNN(3, 2, layer, 4, levels)
    variables = {"params": random_params(network, (5, 4, 1))}
    model, key = pixel_model(network, levels), jax.random.key(2)
    unknown = np.ones((5, 4), bool)
    unknown[:2, :3] = False
    known = jnp.asarray(np.random.default_rng(3).choice([-1.0, 1.0], (6, 5, 4, 1)), jnp.float32)
    drawn = [
        jax.jit(lambda images, draws=draws: draws(model, variables, key, images, None, unknown))(
            known
        )
        for draws in (draw, draw_from_caches)
    ]
    np.testing.assert_array_equal(*drawn)
    np.testing.assert_array_equal(drawn[0][:, :2, :3], known[:, :2, :3])
    assert len(np.unique(drawn[0])) == levels


def test_a_row_lstm_has_the_parameters_of_its_kernels():
    params = random_params(PixelRNN(16, 2), (28, 28, 1))
    first = 4 * 7 * 32 + 32  # The rows of the 7x7 kernel below the middle are not stored.
    layer = 2 * 32 * 64 + 64 + 48 * 64 + 16 * 32 + 32
    assert count_parameters(params) == first + 2 * layer + 32 * 32 + 32 + 32 + 1


def test_images_of_several_channels_are_refused():
    with pytest.raises(ValueError, match="images have 3 channels; PixelRNN takes 1"):
        PixelRNN().init(jax.random.key(0), jnp.zeros((1, 8, 8, 3)))
