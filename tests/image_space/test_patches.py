import numpy as np
import pytest

from lecture_models.image_space.patches import nearest_patch_distances, patches


def noise(seed, height=20, width=18):
    return np.random.default_rng(seed).uniform(-1.0, 1.0, (height, width, 3)).astype(np.float32)


def test_patches_are_the_squares_row_by_row():
    image = noise(0, 5, 7)
    found = patches(image, 3, 2)
    assert found.shape == (2 * 3, 27)
    np.testing.assert_array_equal(found[4].reshape(3, 3, 3), image[2:5, 2:5])


def test_the_last_patches_end_at_the_edge_whatever_the_stride():
    image = noise(0, 8, 10)
    found = patches(image, 3, 2)
    assert found.shape == (4 * 5, 27)
    np.testing.assert_array_equal(found[-1].reshape(3, 3, 3), image[5:8, 7:10])
    image[-1, -1] = 9.0
    assert (patches(image, 3, 2) == 9.0).any()


def test_a_cutting_is_no_distance_from_its_source():
    source = noise(1)
    assert nearest_patch_distances(source[3:15, 2:13], source, 6).mean == 0.0


def test_a_shift_of_brightness_is_the_distance():
    source = noise(2) * 0.1
    found = nearest_patch_distances(source + 0.5, source, 6)
    assert 0.45 < found.mean <= 0.5
    flat = np.zeros((8, 8, 3), np.float32)
    assert nearest_patch_distances(flat + 0.25, flat, 4).mean == pytest.approx(0.25)


def test_fresh_noise_is_far_from_its_source():
    """Of two independent uniform values the mean squared difference is 2/3."""
    assert 0.5 < nearest_patch_distances(noise(3), noise(4), 8).mean < np.sqrt(2.0 / 3.0)


@pytest.mark.parametrize(("side", "stride"), [(6, 1), (0, 1), (2, 0)])
def test_patches_that_do_not_fit_are_refused(side, stride):
    with pytest.raises(ValueError, match=f"side {side} and stride {stride}"):
        patches(noise(5, 5, 9), side, stride)
