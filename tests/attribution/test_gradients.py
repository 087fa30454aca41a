import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.attribution.gradients import (
    convergence_delta,
    input_gradient,
    integrated_gradients,
    magnitude,
    smooth_gradient,
)

IMAGES = jax.random.uniform(jax.random.key(0), (3, 4, 5, 2), minval=-1.0)
FILTER = jax.random.normal(jax.random.key(1), (4, 5, 2))


def curved(images):
    """Neither linear nor separable in the pixels."""
    return jnp.tanh((images * FILTER[None]).sum((1, 2, 3))) + (images**3).sum((1, 2, 3))


def linear(images):
    return (images * FILTER[None]).sum((1, 2, 3))


gradient = jax.jit(input_gradient(curved))


def test_the_gradient_is_that_of_finite_differences():
    found = np.asarray(gradient(IMAGES), np.float64)
    rng = np.random.default_rng(0)
    for image, row, column, channel in rng.integers(0, [3, 4, 5, 2], (20, 4)):
        step = jnp.zeros_like(IMAGES).at[image, row, column, channel].set(1e-2)
        difference = (curved(IMAGES + step) - curved(IMAGES - step))[image] / 2e-2
        np.testing.assert_allclose(found[image, row, column, channel], difference, atol=2e-3)


def test_saliency_is_the_largest_absolute_value_over_channels():
    gradients = jnp.array([[1.0, -3.0], [2.0, 0.0]]).reshape(1, 1, 2, 2)
    np.testing.assert_array_equal(magnitude(gradients), [[[3.0, 2.0]]])


def test_each_image_counts_for_itself_alone():
    alone = jnp.concatenate([gradient(image[None]) for image in IMAGES])
    np.testing.assert_allclose(gradient(IMAGES), alone, atol=1e-6)


def test_without_noise_smoothgrad_is_the_gradient():
    smooth = smooth_gradient(gradient, IMAGES[0], jax.random.key(2), 5, 0.0, 2)
    np.testing.assert_allclose(smooth, gradient(IMAGES[:1])[0], rtol=1e-5)


def test_smoothgrad_is_the_gradient_of_the_smoothed_score():
    # E (x + s e)^3 = x^3 + 3 s^2 x, whose gradient is 3 x^2 + 3 s^2.
    cubed = jax.jit(input_gradient(lambda images: (images**3).sum((1, 2, 3))))
    count, noise, image = 4000, 0.5, np.asarray(IMAGES[0], np.float64)
    smooth = smooth_gradient(cubed, IMAGES[0], jax.random.key(2), count, noise, 1000)
    # The variance of 3 (x + s e)^2 is 36 x^2 s^2 + 18 s^4.
    error = np.sqrt((36.0 * image**2 * noise**2 + 18.0 * noise**4) / count)
    scores = (smooth - (3.0 * image**2 + 3.0 * noise**2)) / error
    assert np.abs(scores).max() < 4.0
    assert abs(scores.mean()) < 4.0 / scores.size**0.5
    assert 0.5 < scores.var() < 1.6


def test_smoothgrads_inputs_are_the_image_under_normal_noise_of_the_given_deviation():
    seen = []

    def identity(images):  # The gradient of half the sum of squares.
        seen.append(np.asarray(images))
        return images

    smooth = smooth_gradient(identity, IMAGES[0], jax.random.key(2), 2000, 0.5, 500)
    inputs = np.concatenate(seen)
    noise = inputs - np.asarray(IMAGES[0])[None]
    assert inputs.shape == (2000, 4, 5, 2)
    assert noise.std() == pytest.approx(0.5, rel=0.01)
    assert abs(noise.mean()) < 4.0 * 0.5 / noise.size**0.5
    assert len(np.unique(noise)) > 0.99 * noise.size
    np.testing.assert_allclose(smooth, inputs.mean(0), atol=1e-5)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_the_rule_of_integration_is_that_of_midpoints(steps):
    """The mean of 3 x^2 s^2 over the n midpoints s of [0, 1] is x^2 (1 - 1 / 4 n^2)."""
    cubed = input_gradient(lambda images: (images**3).sum((1, 2, 3)))
    found = integrated_gradients(cubed, IMAGES[0], jnp.zeros_like(IMAGES[0]), steps, 2)
    expected = IMAGES[0] ** 3 * (1.0 - 1.0 / (4.0 * steps**2))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 3, 7, 10])
def test_the_batch_size_changes_neither_mean(batch_size):
    def both(batch_size):
        smooth = smooth_gradient(gradient, IMAGES[1], jax.random.key(3), 7, 0.2, batch_size)
        path = integrated_gradients(gradient, IMAGES[1], IMAGES[0], 7, batch_size)
        return jnp.stack([smooth, path])

    np.testing.assert_allclose(both(batch_size), both(2), atol=1e-5)


def test_integrated_gradients_add_up_to_the_difference_of_the_scores():
    image, baseline = IMAGES[:2]
    found = integrated_gradients(gradient, image, baseline, 300, 100)
    scores = curved(IMAGES)
    np.testing.assert_allclose(found.sum(), scores[0] - scores[1], atol=1e-3)


def test_the_convergence_delta_is_the_missing_share_in_percent():
    maps = jnp.ones((3, 2, 2)) * jnp.array([1.0, 2.0, 0.5]).reshape(3, 1, 1)
    found = convergence_delta(maps, np.array([5.0, 9.0, 0.0]), np.array([1.0, -1.0, 4.0]))
    # Sums 4, 8 and 2; they should be 4, 10 and -4.
    np.testing.assert_allclose(found, [0.0, -20.0, 150.0])


def test_more_steps_lower_the_convergence_delta():
    scores = curved(IMAGES)

    def delta(steps):
        found = integrated_gradients(gradient, *IMAGES[:2], steps, 20)[None]
        return abs(convergence_delta(found, scores[:1], scores[1:2])[0])

    deltas = [delta(steps) for steps in (1, 4, 100)]
    assert deltas[0] > deltas[1] > deltas[2]
    assert deltas[2] < 0.1


def test_equal_scores_have_no_delta():
    maps = np.ones((1, 2, 2), np.float32)
    assert not np.isfinite(convergence_delta(maps, np.ones(1), np.ones(1)))[0]


def test_one_step_is_exact_for_a_linear_score():
    found = integrated_gradients(input_gradient(linear), IMAGES[0], IMAGES[1], 1, 4)
    np.testing.assert_allclose(found, (IMAGES[0] - IMAGES[1]) * FILTER, atol=1e-6)


def test_no_samples_are_refused():
    with pytest.raises(ValueError, match="0 gradients in batches of 2"):
        integrated_gradients(gradient, IMAGES[0], IMAGES[1], 0, 2)
