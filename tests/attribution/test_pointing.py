import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.attribution.pointing import Box, composite, hit, quadrants


@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 9), (2, 2)])
def test_each_picture_fills_its_own_box(height, width):
    levels = jnp.array([-1.0, -0.5, 0.5, 1.0]).reshape(4, 1, 1, 1)
    grid = composite(jnp.broadcast_to(levels, (4, height, width, 3)))
    assert grid.shape == (height, width, 3)
    for level, box in zip(levels.ravel(), quadrants(height, width), strict=True):
        part = grid[box.top : box.bottom, box.left : box.right]
        np.testing.assert_allclose(part, level, atol=1e-6)


def test_boxes_cover_every_pixel_once():
    covered = np.zeros((7, 9), int)
    for box in quadrants(7, 9):
        covered[box.top : box.bottom, box.left : box.right] += 1
    assert (covered == 1).all()


def test_a_maximum_hits_the_box_it_lies_in_and_no_other():
    map_ = np.zeros((6, 6))
    map_[5, 2] = 1.0
    assert [hit(map_, box) for box in quadrants(6, 6)] == [0.0, 0.0, 1.0, 0.0]


def test_a_map_of_one_value_hits_as_often_as_guessing():
    assert [hit(np.zeros((6, 6)), box) for box in quadrants(6, 6)] == [0.25] * 4
    assert hit(np.zeros((6, 6)), Box(0, 0, 1, 3)) == pytest.approx(3 / 36)
