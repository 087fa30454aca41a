import numpy as np
import pytest

from lecture_models.metrics.depth import depth_scores
from lecture_models.tasks.depth import (
    FRAMES,
    PUBLISHED,
    compared,
    depth_table,
    mean_depths,
    parallax,
    picture_errors,
)

GENERATOR = np.random.default_rng(0)
DEPTHS = GENERATOR.uniform(1.0, 8.0, (3, 6, 8)).astype(np.float32)
PIXELS = GENERATOR.integers(0, 256, (3, 6, 8, 3)).astype(np.uint8)


def test_means_are_geometric():
    depths = np.array([[[1.0, 2.0]], [[4.0, 8.0]]])
    mean = mean_depths(depths)
    np.testing.assert_allclose(mean.map, [[2.0, 4.0]])
    assert mean.number == pytest.approx(8.0**0.5)


def test_the_table_has_published_values_where_they_are_asked_for():
    scores = {"truth": depth_scores(DEPTHS, DEPTHS)}
    assert depth_table(scores, "", published=False).rows == (
        ("truth", 0.0, 0.0, 0.0, 100.0, 100.0, 100.0),
    )
    assert depth_table(scores, "", published=True).rows[1:] == PUBLISHED


def test_four_pictures_stand_in_a_row():
    shown = compared(PIXELS, DEPTHS, DEPTHS, "these", [2, 0])
    assert shown.columns == 4
    assert shown.pixels.shape == (8, 6, 8, 3)
    np.testing.assert_allclose(shown.pixels[0], PIXELS[2] / 127.5 - 1.0, atol=1e-5)
    np.testing.assert_array_equal(shown.pixels[1], shown.pixels[2])
    assert np.ptp(shown.pixels[3], axis=(0, 1)).max() == 0.0  # No error.


def test_errors_of_pictures_are_those_of_each():
    found = DEPTHS * np.array([1.0, 2.0, 1.5])[:, None, None]
    np.testing.assert_allclose(picture_errors(found, DEPTHS), [0.0, 1.0, 0.5], atol=1e-6)


def test_what_is_near_swings_more_than_what_is_far():
    pixels = np.zeros((20, 60, 3), np.uint8)
    depths = np.full((20, 60), 6.0)
    for rows, depth in ((slice(0, 8), 1.5), (slice(12, 20), 6.0)):
        pixels[rows, 28:32] = 255
        depths[rows] = depth
    animation = parallax(pixels, depths, "")
    assert len(animation.frames) == FRAMES
    np.testing.assert_allclose(animation.frames[0], pixels / 127.5 - 1.0, atol=1e-5)

    def middle(frame, rows):
        light = frame[rows, :, 0].mean(0) + 1.0
        return (light * np.arange(60)).sum() / light.sum()

    at = FRAMES // 4
    near, far = (middle(animation.frames[at], rows) - 29.5 for rows in (slice(1, 6), slice(14, 19)))
    assert near * far < 0.0  # The mean distance stays in place.
    assert abs(near) > abs(far)
