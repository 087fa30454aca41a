import numpy as np
import pytest

from lecture_models.data.dataset import DataError
from lecture_models.data.joint_views import (
    Scene,
    mirrored,
    part_of,
    random_view,
    random_views,
    resized,
    seen_in,
    upended,
)

SIDE = 40


def drawn_scene():
    """Draws a bright rectangle at 3 m on a dark wall at 6 m, and all that is known about it."""
    pixels = np.full((SIDE, SIDE, 3), 20, np.uint8)
    masks = np.zeros((SIDE, SIDE), np.uint8)
    pixels[8:20, 4:24], masks[8:20, 4:24] = 220, 7
    depths = np.where(masks > 0, 3.0, 6.0).astype(np.float32)
    boxes = np.array([[8, 4, 20, 24]], np.float32) / SIDE
    return Scene(pixels, boxes, np.array([2]), masks, depths)


def assert_agreement(scene):
    """Compares picture, mask, depth and box of a scene of one bright rectangle."""
    inside = scene.masks > 0
    assert set(np.unique(scene.masks)) == {0, 7}
    bright = scene.pixels[..., 0] > scene.pixels[..., 0].max() / 2.0
    assert (inside == bright).mean() > 0.97  # A pixel across the edge may be of either side.
    near, far = scene.depths[inside], scene.depths[~inside]
    assert np.ptp(near) == np.ptp(far) == 0.0
    assert far[0] == pytest.approx(2.0 * near[0])
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    edges = np.array([rows[0], columns[0], rows[-1] + 1, columns[-1] + 1]) / SIDE
    assert np.abs(edges - scene.boxes[0]).max() < 1.0 / SIDE
    assert scene.labels.tolist() == [2]


@pytest.mark.parametrize("seed", range(8))
def test_picture_box_mask_and_depth_move_together(seed):
    view = random_view(drawn_scene(), np.random.default_rng(seed), 0.6, upend=True)
    assert_agreement(view)


@pytest.mark.parametrize("flip", [mirrored, upended])
def test_flipping_twice_changes_nothing(flip):
    scene, twice = drawn_scene(), flip(flip(drawn_scene()))
    assert_agreement(flip(scene))
    for before, after in zip(scene, twice, strict=True):
        np.testing.assert_allclose(before, after, atol=1e-6)
    assert not np.array_equal(flip(scene).masks, scene.masks)


def test_what_is_enlarged_comes_nearer():
    part = part_of(drawn_scene(), np.array([0.0, 0.0, 0.5, 0.5]))
    np.testing.assert_allclose(np.unique(part.depths), [1.5, 3.0])
    np.testing.assert_allclose(part.boxes[0], [0.4, 0.2, 1.0, 1.0])


def test_boxes_outside_of_a_part_are_left_out_with_their_labels():
    part = part_of(drawn_scene(), np.array([0.6, 0.6, 1.0, 1.0]))
    assert part.boxes.shape == (0, 4)
    assert part.labels.shape == (0,)


def test_a_box_is_clipped_to_the_part_that_is_seen():
    window, box = np.array([0.0, 0.0, 0.5, 0.5]), np.array([0.25, 0.25, 0.75, 0.4])
    np.testing.assert_allclose(seen_in(window, box), [0.5, 0.5, 1.0, 0.8])


def test_views_come_after_the_pictures_themselves():
    scene = drawn_scene()
    arrays = {"pixels": scene.pixels[None], "masks": scene.masks[None], "labels": np.zeros(1)}
    views = random_views(arrays, 3, np.random.default_rng(0), 0.8)
    assert {name: len(array) for name, array in views.items()} == {"pixels": 3, "masks": 3}
    np.testing.assert_array_equal(views["masks"][0], scene.masks)
    assert not np.array_equal(views["masks"][1], views["masks"][2])


def test_maps_of_another_size_than_the_picture_are_refused():
    arrays = {"pixels": np.zeros((1, 8, 8, 3), np.uint8), "masks": np.zeros((1, 4, 4), np.uint8)}
    with pytest.raises(DataError, match="must have one size"):
        random_views(arrays, 2, np.random.default_rng(0), 0.8)


def test_gray_pictures_keep_their_channel():
    assert resized(np.zeros((8, 8, 1), np.uint8), (4, 6)).shape == (4, 6, 1)
