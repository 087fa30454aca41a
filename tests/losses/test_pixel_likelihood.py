"""Tests the likelihood of pixels against values known by hand and SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from lecture_models.losses.pixel_likelihood import (
    bits_per_dimension,
    from_levels,
    image_nats,
    pixel_nats,
    to_levels,
)


def test_undecided_bits_cost_log_two_each():
    images = jnp.sign(jax.random.normal(jax.random.key(0), (3, 28, 28, 1)))
    np.testing.assert_allclose(image_nats(jnp.zeros_like(images), images), 543.427, rtol=1e-5)
    np.testing.assert_allclose(pixel_nats(jnp.zeros_like(images), images), np.log(2.0), rtol=1e-6)


def test_undecided_bytes_cost_eight_bits_each():
    images = from_levels(jax.random.randint(jax.random.key(0), (2, 4, 4, 3), 0, 256), 256)
    nats = image_nats(jnp.zeros((2, 4, 4, 3, 256)), images)
    np.testing.assert_allclose(bits_per_dimension(nats, 48), 8.0, rtol=1e-6)


@pytest.mark.parametrize("levels", [2, 4, 256])
def test_levels_are_evenly_spaced_and_come_back(levels):
    indices = jnp.arange(levels, dtype=jnp.int32)
    pixels = from_levels(indices, levels)
    assert float(pixels[0]) == -1.0
    assert float(pixels[-1]) == 1.0
    np.testing.assert_array_equal(to_levels(pixels.reshape(1, 1, -1, 1), levels).ravel(), indices)


def test_pixels_of_images_of_eight_bits_are_levels():
    pixels = np.arange(256, dtype=np.float32) / np.float32(127.5) - 1
    np.testing.assert_array_equal(
        to_levels(jnp.asarray(pixels).reshape(1, 16, 16, 1), 256).ravel(), np.arange(256)
    )


def test_the_nats_of_an_image_are_the_sum_over_its_pixels():
    images = jnp.sign(jax.random.normal(jax.random.key(0), (3, 5, 5, 1)))
    logits = 3.0 * jax.random.normal(jax.random.key(1), images.shape)
    np.testing.assert_allclose(
        image_nats(logits, images), pixel_nats(logits, images).sum((1, 2, 3)), rtol=1e-5
    )


def test_nats_are_those_of_scipy():
    levels = np.array([0, 3, 1, 2]).reshape(1, 2, 2, 1)
    logits = np.random.default_rng(0).normal(size=(1, 2, 2, 1, 4)).astype(np.float32)
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = -sum(
        scipy.stats.multinomial.logpmf(np.eye(4)[level], 1, p)
        for level, p in zip(levels.ravel(), probabilities.reshape(-1, 4), strict=True)
    )
    nats = image_nats(jnp.asarray(logits), from_levels(jnp.asarray(levels), 4))
    assert float(nats[0]) == pytest.approx(expected, rel=1e-5)


def test_the_nats_of_a_known_distribution_are_its_entropy_on_average():
    probability = np.array([0.1, 0.5, 0.9, 0.99])
    bits = np.random.default_rng(0).random((20_000, 4)) < probability
    images = jnp.asarray(2.0 * bits - 1.0, jnp.float32).reshape(-1, 2, 2, 1)
    logits = jnp.asarray(np.log(probability / (1 - probability)), jnp.float32).reshape(1, 2, 2, 1)
    nats = image_nats(jnp.broadcast_to(logits, images.shape), images)
    assert float(nats.mean()) == pytest.approx(
        scipy.stats.bernoulli.entropy(probability).sum(), rel=0.02
    )


def test_one_nat_per_pixel_is_1_44_bits():
    assert bits_per_dimension(784.0, 784) == pytest.approx(1.0 / np.log(2.0))


def test_an_image_without_pixels_is_refused():
    with pytest.raises(ValueError, match="0 dimensions"):
        bits_per_dimension(1.0, 0)
