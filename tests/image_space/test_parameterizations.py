import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.image_space.parameterizations import fourier, pixels, within


def some_images(height=9, width=8, count=2):
    return jax.random.uniform(jax.random.key(0), (count, height, width, 3), minval=-0.9, maxval=0.9)


@pytest.mark.slow
@pytest.mark.parametrize(
    "form", [pixels(), pixels(limited=False), fourier(9, 8), fourier(9, 8, 0.0)]
)
def test_an_image_comes_back_from_its_params(form):
    images = some_images()
    np.testing.assert_allclose(form.decode(form.encode(images)), images, atol=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 9), (8, 5), (1, 4)])
def test_a_spectrum_fits_sides_even_and_odd(height, width):
    images = some_images(height, width)
    form = fourier(height, width)
    np.testing.assert_allclose(form.decode(form.encode(images)), images, atol=2e-5)


def test_limited_pixels_are_clipped_by_the_projection_alone():
    form, params = pixels(), jnp.full((1, 2, 2, 3), 1.5)
    np.testing.assert_array_equal(form.decode(params), params)
    np.testing.assert_array_equal(form.project(params), jnp.ones_like(params))
    np.testing.assert_array_equal(pixels(limited=False).project(params), params)


def test_a_pixel_out_of_range_still_has_a_gradient():
    gradient = jax.grad(lambda params: pixels().decode(params).sum())(jnp.full((1, 2, 2, 3), 1.5))
    np.testing.assert_array_equal(gradient, jnp.ones_like(gradient))


@pytest.mark.slow
def test_a_spectrum_of_black_has_a_gradient_that_brightens():
    form = fourier(6, 6)
    spectrum = form.encode(jnp.full((1, 6, 6, 3), -1.0))
    value, gradient = jax.value_and_grad(lambda params: form.decode(params).mean())(spectrum)
    assert value == pytest.approx(-0.99, abs=1e-4)
    assert form.decode(spectrum + 10.0 * gradient).mean() > value


def test_no_spectrum_decodes_out_of_range():
    images = fourier(8, 8).decode(100.0 * jax.random.normal(jax.random.key(1), (1, 8, 5, 3, 2)))
    assert jnp.abs(images).max() <= 1.0


def test_slow_waves_of_a_spectrum_are_stronger_than_fast_ones():
    form = fourier(16, 16)

    def contrast(row):
        spectrum = jnp.zeros((1, 16, 9, 3, 2)).at[0, row, 0, 0, 0].set(0.1)
        return form.decode(spectrum).std()

    assert contrast(1) / contrast(2) == pytest.approx(2.0, rel=0.05)


def test_unit_spectra_make_images_of_middling_contrast():
    spectra = jax.random.normal(jax.random.key(2), (8, 32, 17, 3, 2))
    assert 0.1 < fourier(32, 32).decode(spectra).std() < 0.8


def test_decorrelated_colors_move_together_first():
    """The first of the three components is brightness, and the strongest."""
    form = fourier(4, 4)
    moved = [
        form.decode(jnp.zeros((1, 4, 3, 3, 2)).at[0, 0, 0, component, 0].set(0.1))[0, 0, 0]
        for component in range(3)
    ]
    assert (moved[0] > 0.0).all()
    strengths = [float(jnp.linalg.norm(each)) for each in moved]
    assert strengths == sorted(strengths, reverse=True)


@pytest.mark.slow
def test_a_smaller_stage_lives_in_the_corner_of_the_canvas():
    images = some_images(4, 5, 1)
    form = within(pixels(), 4, 5, (6, 8))
    params = form.encode(images)
    assert params.shape == (1, 6, 8, 3)
    np.testing.assert_array_equal(form.decode(params), images)
    gradient = jax.grad(lambda params: form.decode(params).sum())(params)
    assert gradient[:, :4, :5].min() == 1.0
    assert jnp.abs(gradient).sum() == 4 * 5 * 3
    np.testing.assert_array_equal(form.project(params + 3.0)[:, 4:], jnp.zeros((1, 2, 8, 3)))
