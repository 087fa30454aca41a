import numpy as np
import pytest

from lecture_models.image_space.histogram import match_histogram


def noise(seed, height, width, scale=1.0):
    values = np.random.default_rng(seed).uniform(-1.0, 1.0, (height, width, 3))
    return (scale * values).astype(np.float32)


def test_values_become_those_of_the_source_in_the_same_order():
    image, source = noise(0, 5, 6), noise(1, 6, 5, 0.3)
    matched = match_histogram(image, source)
    for channel in range(3):
        values = matched[..., channel].ravel()
        np.testing.assert_allclose(np.sort(values), np.sort(source[..., channel].ravel()))
        np.testing.assert_array_equal(
            values.argsort(), image[..., channel].ravel().argsort(kind="stable")
        )


def test_an_image_matched_with_itself_stays():
    image = noise(2, 4, 7)
    np.testing.assert_allclose(match_histogram(image, image), image, atol=1e-6)


def test_a_source_of_another_size_gives_its_mean_and_range():
    source = noise(3, 3, 9, 0.5) + 0.25
    matched = match_histogram(noise(4, 16, 16), source)
    assert matched.min() == pytest.approx(source.min())
    assert matched.max() == pytest.approx(source.max())
    np.testing.assert_allclose(matched.mean((0, 1)), source.mean((0, 1)), atol=0.02)
