import numpy as np
import pytest

from lecture_models.data.dataset import DataError, Split
from lecture_models.data.digit_domains import DOMAINS, blend, plain_pictures, read_domains
from lecture_models.data.lookup import Library


@pytest.fixture(scope="module")
def library():
    return Library(None, lambda line: None)


def test_a_blended_digit_is_the_absolute_difference_of_a_patch_and_the_digit():
    photo = np.arange(6 * 6 * 3, dtype=np.uint8).reshape(1, 6, 6, 3)
    black = np.zeros((50, 4, 4, 3), np.uint8)
    patches = blend(black, photo, 3)
    places = [
        np.flatnonzero(
            [
                np.array_equal(patch, photo[0, top : top + 4, left : left + 4])
                for top in range(3)
                for left in range(3)
            ]
        )
        for patch in patches
    ]
    assert all(len(found) == 1 for found in places)
    assert len({int(found[0]) for found in places}) == 9  # Every place is drawn.
    digits = np.full_like(black, 100)
    expected = np.abs(patches.astype(int) - 100)
    np.testing.assert_array_equal(blend(digits, photo, 3), expected)
    np.testing.assert_array_equal(blend(digits, photo, 3), blend(digits, photo, 3))
    assert not np.array_equal(blend(black, photo, 3), blend(black, photo, 4))


def test_gray_images_become_color_and_small_ones_grow():
    images = np.linspace(-1.0, 1.0, 2 * 16 * 16, dtype=np.float32).reshape(2, 16, 16, 1)
    pictures, labels = plain_pictures(Split.labeled_images(images, np.array([3, 4], np.int32)))
    assert pictures.shape == (2, 28, 28, 3)
    assert pictures.dtype == np.uint8
    np.testing.assert_array_equal(pictures[..., 0], pictures[..., 2])
    assert pictures[0].mean() < pictures[1].mean()
    assert labels.tolist() == [3, 4]


def test_splits_of_a_blended_domain_share_no_photo_and_keep_the_labels(library):
    plain, blended = DOMAINS["digits"](library), DOMAINS["digits_m"](library)
    for before, after in zip(plain[:3], blended[:3], strict=True):
        np.testing.assert_array_equal(before.labels, after.labels)
        assert before.pictures.shape == after.pictures.shape
        assert not np.array_equal(before.pictures, after.pictures)
    photos = library.load("sample_crops")
    assert len({photos.train.images[k].tobytes() for k in range(12)}) == 12
    colors = np.abs(blended.train.pictures[..., 0].astype(int) - blended.train.pictures[..., 2])
    assert colors.mean() > 5.0


def test_images_that_are_not_square_and_photos_that_are_too_small_are_refused():
    wide = Split.labeled_images(np.zeros((1, 4, 6, 1), np.float32), np.zeros(1, np.int32))
    with pytest.raises(DataError, match="images are 4x6; domains of digits need square ones"):
        plain_pictures(wide)
    with pytest.raises(DataError, match="photos are 3x9; they must be 4x4 or larger"):
        blend(np.zeros((1, 4, 4, 3), np.uint8), np.zeros((1, 3, 9, 3), np.uint8), 0)


def test_both_domains_have_the_same_classes(library):
    source, target = read_domains(library, "digits", "digits_m")
    assert source.classes == target.classes == tuple("0123456789")
