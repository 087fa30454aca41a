import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.losses.reconstruction import squared_error
from lecture_models.metrics.reconstruction import originals_above, psnr

IMAGES = np.random.default_rng(0).uniform(-0.8, 0.7, (5, 6, 4, 1)).astype(np.float32)


def test_a_tenth_off_everywhere_is_twenty_decibels():
    np.testing.assert_allclose(psnr(IMAGES + 0.2, IMAGES), 20.0, rtol=1e-5)


def test_black_of_white_is_zero_decibels():
    white = jnp.ones((2, 4, 4, 3))
    assert psnr(-white, white).tolist() == [0.0, 0.0]


def test_equal_images_are_infinitely_near():
    assert psnr(IMAGES, IMAGES).tolist() == [np.inf] * 5


def test_values_outside_the_range_count_as_they_are_shown():
    images = np.array([-1.0, 1.0, 0.0, 0.5], np.float32).reshape(1, 2, 2, 1)
    over = images * np.array([3.0, 2.0, 1.0, 1.0], np.float32).reshape(1, 2, 2, 1)
    assert psnr(over, images).tolist() == [np.inf]


def test_decibels_are_those_of_the_squared_error_of_an_image():
    reconstructions = np.roll(IMAGES, 1, axis=0)
    mean_squared_error = (
        np.asarray(squared_error(jnp.asarray(reconstructions), jnp.asarray(IMAGES))) / 24
    )
    found = psnr(reconstructions, IMAGES)
    np.testing.assert_allclose(found, -10.0 * np.log10(mean_squared_error), rtol=1e-5)


def test_each_group_of_originals_stands_above_its_reconstructions():
    grid = originals_above(IMAGES[:4], IMAGES[:4] + 0.1, IMAGES[:4] + 0.2, columns=2)
    assert grid.shape == (12, 6, 4, 1)
    np.testing.assert_array_equal(grid[:2], IMAGES[:2])
    np.testing.assert_array_equal(grid[4:6], IMAGES[:2] + np.float32(0.2))
    np.testing.assert_array_equal(grid[6:8], IMAGES[2:4])
    np.testing.assert_array_equal(grid[8:10], IMAGES[2:4] + np.float32(0.1))


def test_places_without_a_picture_are_mid_gray_and_the_rows_stay_aligned():
    grid = originals_above(IMAGES, IMAGES + 0.1, columns=3)
    assert grid.shape == (12, 6, 4, 1)
    assert (grid[[8, 11]] == 0.0).all()
    np.testing.assert_array_equal(grid[9:11], IMAGES[3:] + np.float32(0.1))


@pytest.mark.parametrize(("further", "columns"), [(IMAGES[:4], 2), (IMAGES, 0)])
def test_kinds_of_different_number_or_no_columns_are_refused(further, columns):
    with pytest.raises(ValueError, match="shapes must be equal and columns at least 1"):
        originals_above(IMAGES, further, columns=columns)
