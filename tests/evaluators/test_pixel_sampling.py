"""Tests drawing pixel by pixel: caches against whole passes, known pixels, temperature."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.evaluators.pixel_sampling import (
    PixelModel,
    draw,
    draw_from_caches,
    pixel_model,
)
from lecture_models.models.pixelcnn import GatedPixelCNN, PixelCNN

PLAIN = PixelCNN(features=6, num_blocks=2, head_features=6)
GATED = GatedPixelCNN(features=6, num_layers=3, head_features=6)


def constant_model(logit):
    """Returns a model whose pixels are independent."""
    return PixelModel(2, lambda variables, images, labels: jnp.full(images.shape, logit))


@pytest.mark.parametrize("network", [PLAIN, GATED], ids=["plain", "gated"])
@pytest.mark.parametrize(("channels", "levels", "classes"), [(1, 2, 3), (3, 5, 0)])
def test_caches_give_the_very_pixels_of_whole_passes(network, channels, levels, classes):
    network = network.clone(levels=levels, num_classes=classes)
    images = jax.random.normal(jax.random.key(1), (3, 5, 6, channels))
    labels = jnp.arange(3) if classes else None
    variables = {"params": jax.jit(network.init)(jax.random.key(0), images, labels)["params"]}
    unknown = np.ones((5, 6), bool)
    unknown[:2, :3] = False
    drawn = [
        jax.jit(functools.partial(by, pixel_model(network, levels), unknown=unknown))(
            variables, jax.random.key(7), images, labels
        )
        for by in (draw, draw_from_caches)
    ]
    np.testing.assert_array_equal(*drawn)
    np.testing.assert_array_equal(drawn[0][:, :2, :3], images[:, :2, :3])
    allowed = np.linspace(-1.0, 1.0, levels)
    values = np.unique(np.asarray(drawn[0])[:, unknown])
    assert np.abs(values[:, None] - allowed).min(axis=1).max() < 1e-6


def test_the_values_of_unknown_pixels_do_not_matter():
    variables = {
        "params": jax.jit(PLAIN.init)(jax.random.key(0), jnp.zeros((1, 4, 4, 1)))["params"]
    }
    run = jax.jit(functools.partial(draw_from_caches, pixel_model(PLAIN, 2)))
    first, second = (
        run(variables, jax.random.key(2), jnp.full((4, 4, 4, 1), value)) for value in (0.0, 5.0)
    )
    np.testing.assert_array_equal(first, second)


def test_independent_pixels_have_their_probability():
    drawn = draw(constant_model(jnp.log(3.0)), {}, jax.random.key(0), jnp.zeros((2_000, 2, 2, 1)))
    assert float((drawn > 0).mean()) == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize(("temperature", "share"), [(0.05, 1.0), (2.0, 3**0.5 / (1 + 3**0.5))])
def test_temperature_divides_the_logits(temperature, share):
    blank = jnp.zeros((2_000, 2, 2, 1))
    model = constant_model(jnp.log(3.0))
    drawn = draw(model, {}, jax.random.key(0), blank, temperature=temperature)
    assert float((drawn > 0).mean()) == pytest.approx(share, abs=0.02)


def test_a_model_without_caches_is_refused():
    with pytest.raises(ValueError, match="keeps no activations"):
        draw_from_caches(constant_model(0.0), {}, jax.random.key(0), jnp.zeros((1, 2, 2, 1)))
