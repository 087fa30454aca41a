import numpy as np
import pytest

from lecture_models.plots.thumbnails import thumbnail_scatter


def plain(levels, side=4):
    """Returns images that each have one constant value."""
    return np.broadcast_to(np.reshape(levels, (-1, 1, 1, 1)), (len(levels), side, side, 3)) * 1.0


def test_the_corners_of_a_square_are_the_corners_of_the_image():
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    image = thumbnail_scatter(points, plain([-1.0, -0.5, 0.0, 0.5]), 12)
    assert image.shape == (12, 12, 3)
    corners = image[0, 0, 0], image[0, -1, 0], image[-1, 0, 0], image[-1, -1, 0]
    assert corners == (0.0, 0.5, -1.0, -0.5)  # The second coordinate points up.
    assert (image[4:8] == 1.0).all()
    assert (image[:4, :4] == 0.0).all()


def test_a_wide_cloud_gives_a_wide_image_of_one_scale():
    points = np.array([[0.0, 0.0], [10.0, 5.0], [4.0, 5.0]])
    image = thumbnail_scatter(points, plain([-1.0] * 3), 104)
    assert image.shape == (54, 104, 3)


def test_frames_have_the_color_of_the_class():
    points = np.array([[0.0, 0.0], [1.0, 1.0]])
    images = plain([0.0, 0.0], side=6)
    image = thumbnail_scatter(points, images, 20, np.array([0, 3]))
    blue, red = image[-1, 0], image[0, -1]
    np.testing.assert_allclose((blue + 1.0) * 127.5, [0x1F, 0x77, 0xB4], atol=1e-3)
    np.testing.assert_allclose((red + 1.0) * 127.5, [0xD6, 0x27, 0x28], atol=1e-3)
    assert (image[-5:-1, 1:5] == 0.0).all()
    assert (images == 0.0).all()


def test_equal_points_give_one_thumbnail():
    image = thumbnail_scatter(np.ones((3, 2)), plain([0.25] * 3), 50)
    assert image.shape == (4, 4, 3)
    assert (image == 0.25).all()


def test_points_and_images_that_cannot_be_drawn_are_refused():
    with pytest.raises(ValueError, match="no points"):
        thumbnail_scatter(np.zeros((0, 2)), np.zeros((0, 4, 4, 3)), 10)
    with pytest.raises(ValueError, match="finite; 1 of 1 are not"):
        thumbnail_scatter(np.array([[np.nan, 0.0]]), plain([0.0]), 10)
    with pytest.raises(ValueError, match="4 pixels a side; the result has only 3"):
        thumbnail_scatter(np.zeros((1, 2)), plain([0.0]), 3)
