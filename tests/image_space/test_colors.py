import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.image_space.colors import (
    gray,
    luminance_pixels,
    match_colors,
    match_luminance,
)

PHOTO = jax.random.uniform(jax.random.key(0), (1, 9, 8, 3), minval=-1.0, maxval=1.0)
MIXED = jax.random.normal(jax.random.key(1), (1, 7, 6, 3)) @ jnp.array(
    [[0.3, 0.1, 0.0], [0.0, 0.2, 0.1], [0.0, 0.0, 0.4]]
)


def moments(images):
    flat = np.asarray(images).reshape(-1, 3)
    return flat.mean(0), np.cov(flat.T, bias=True)


def test_green_is_brighter_than_red_and_red_than_blue():
    primaries = jnp.eye(3).reshape(1, 1, 3, 3)
    np.testing.assert_allclose(gray(primaries)[0, 0, :, 0], [0.299, 0.587, 0.114], rtol=1e-6)


def test_gray_of_gray_is_itself():
    np.testing.assert_allclose(gray(gray(PHOTO)), gray(PHOTO), atol=1e-6)


def test_matched_colors_have_the_mean_and_covariance_of_the_target():
    mean, covariance = moments(match_colors(MIXED, PHOTO))
    wanted_mean, wanted_covariance = moments(PHOTO)
    np.testing.assert_allclose(mean, wanted_mean, atol=1e-5)
    np.testing.assert_allclose(covariance, wanted_covariance, atol=1e-3)


def test_a_picture_matched_with_itself_stays():
    np.testing.assert_allclose(match_colors(PHOTO, PHOTO), PHOTO, atol=1e-4)


def test_a_picture_of_one_color_becomes_the_mean_of_the_target():
    flat = jnp.full((1, 4, 4, 3), 0.3)
    expected = np.broadcast_to(moments(PHOTO)[0], (1, 4, 4, 3))
    np.testing.assert_allclose(match_colors(flat, PHOTO), expected, atol=1e-4)


def test_matched_luminance_is_gray_with_the_moments_of_the_target():
    found = match_luminance(MIXED, PHOTO)
    np.testing.assert_array_equal(found[..., 0], found[..., 2])
    np.testing.assert_allclose(found.mean(), gray(PHOTO).mean(), atol=1e-5)
    np.testing.assert_allclose(found.std(), gray(PHOTO).std(), rtol=1e-4)


def test_luminance_pixels_show_what_they_encode():
    form = luminance_pixels()
    np.testing.assert_allclose(form.decode(form.encode(PHOTO)), PHOTO, atol=1e-6)


@pytest.mark.slow
def test_a_step_on_luminance_pixels_leaves_the_differences_of_channels():
    form = luminance_pixels()
    gradient = jax.grad(lambda x: jnp.vdot(form.decode(x), PHOTO))(PHOTO)
    np.testing.assert_array_equal(gradient[..., 0], gradient[..., 1])
    stepped = PHOTO - 0.1 * gradient
    np.testing.assert_allclose(
        stepped[..., 0] - stepped[..., 1], PHOTO[..., 0] - PHOTO[..., 1], atol=1e-6
    )
    # The mean over channels of what a luminance gains: all of it.
    np.testing.assert_allclose(gray(stepped - PHOTO)[..., 0], -0.1 * gradient[..., 0], atol=1e-6)
