import numpy as np
import pytest

from lecture_models.data.made_objects import make
from lecture_models.tasks.localization import (
    augmented,
    boxed,
    drawn,
    heat_box,
    mirrored,
    overlaps,
    small_images,
)

SPLIT = make().validation
PICTURES = boxed(SPLIT)


def bright_box(pixels):
    """Returns the box around the bright pixels of a picture of one shape."""
    bright = pixels.astype(int).sum(axis=-1) > 400
    rows, columns = np.flatnonzero(bright.mean(1) > 0.06), np.flatnonzero(bright.mean(0) > 0.06)
    side = len(pixels)
    return np.array([rows[0], columns[0], rows[-1] + 1, columns[-1] + 1]) / side


def test_views_move_the_box_with_the_picture():
    views = augmented(PICTURES, 4, np.random.default_rng(0))
    assert len(views.pixels) == 4 * len(PICTURES.pixels)
    squares = views.labels == 1
    found = np.stack([bright_box(picture) for picture in views.pixels[squares]])
    assert np.abs(found - views.boxes[squares]).max() < 0.06
    assert not np.array_equal(views.boxes[: len(SPLIT)], views.boxes[-len(SPLIT) :])


def test_one_view_is_the_picture_itself():
    views = augmented(PICTURES, 1, np.random.default_rng(0))
    np.testing.assert_array_equal(views.pixels, PICTURES.pixels)


def test_mirroring_twice_changes_nothing():
    twice = mirrored(mirrored(PICTURES))
    np.testing.assert_array_equal(twice.pixels, PICTURES.pixels)
    np.testing.assert_allclose(twice.boxes, PICTURES.boxes, atol=1e-6)


def test_the_box_of_a_map_is_that_of_its_largest_region():
    heat = np.zeros((10, 20))
    heat[2:6, 5:15] = 1.0
    heat[8, 0] = 2.0
    np.testing.assert_allclose(heat_box(heat, 0.4), [0.2, 0.25, 0.6, 0.75])
    np.testing.assert_allclose(heat_box(np.zeros((4, 4)), 0.4), [0.0, 0.0, 1.0, 1.0])


def test_overlaps_count_the_boxes_above_a_half():
    truth = np.tile(np.array([[0.0, 0.0, 1.0, 1.0]], np.float32), (2, 1))
    found = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.25]])
    scores = overlaps(found, truth)
    assert scores.mean == pytest.approx(0.625)
    assert scores.found == pytest.approx(50.0)


def test_the_worst_pictures_come_first_where_they_are_asked_for():
    boxes = PICTURES.boxes.copy()
    boxes[7] = [0.0, 0.0, 0.01, 0.01]
    shown = drawn(PICTURES.pixels, boxes, ["x"] * len(boxes), PICTURES.boxes, "", np.argsort, 3)
    np.testing.assert_allclose(shown.pixels[0], PICTURES.pixels[7] / 127.5 - 1.0, atol=1e-5)
    true, own = shown.boxes[0]
    assert (true.label, own.label) == ("true", "x")
    assert own.score < 0.05


def test_small_images_are_in_range_and_may_be_none():
    images = small_images(PICTURES.pixels[:70], 16)
    assert images.shape == (len(PICTURES.pixels[:70]), 16, 16, 3)
    assert np.abs(images).max() <= 1.0
    assert small_images(PICTURES.pixels[:0], 16).shape == (0, 16, 16, 3)
