import numpy as np
import pytest

from lecture_models.data.dataset import DataError, Split
from lecture_models.data.made_objects import make
from lecture_models.metrics.segmentation import mask_iou
from lecture_models.tasks.segmentation import (
    drawn_masks,
    mask_baselines,
    otsu_masks,
    require_masks,
)

DATASET = make()
PART = slice(0, 30)


def test_thresholds_find_bright_shapes_on_dark_ground():
    test = DATASET.test.select(PART)
    found = mask_baselines(
        DATASET.train.select(PART), DATASET.validation.select(PART), test["pixels"]
    )
    assert mask_iou(found.otsu, test["masks"]).mean() > 0.8
    assert mask_iou(found.colors, test["masks"]).mean() > 0.8
    assert mask_iou(found.places, test["masks"]).mean() < 0.5


def test_dark_shapes_are_found_by_the_other_side_of_the_threshold():
    def inverted(split):
        return Split({"pixels": 255 - split["pixels"][PART], "masks": split["masks"][PART]})

    test = inverted(DATASET.test)
    found = mask_baselines(inverted(DATASET.train), inverted(DATASET.validation), test["pixels"])
    assert mask_iou(found.otsu, test["masks"]).mean() > 0.8


def test_a_picture_of_one_color_has_no_object():
    assert otsu_masks(np.full((1, 4, 4, 3), 9, np.uint8)).sum() == 0


def test_hits_additions_and_misses_have_values_of_their_own():
    truth = np.array([[[1, 1, 0, 0]]], np.uint8)
    found = np.array([[[1, 0, 1, 0]]], np.uint8)
    pixels = np.zeros((1, 1, 4, 3), np.uint8)
    assert drawn_masks(pixels, found, truth, "").masks[0, 0].tolist() == [1, 4, 2, 0]
    assert drawn_masks(pixels, found, None, "").masks[0, 0].tolist() == [1, 0, 1, 0]


def test_the_worst_pictures_come_first_where_they_are_asked_for():
    truth = np.ones((3, 1, 4), np.uint8)
    found = truth.copy()
    found[2] = 0
    pixels = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1) * np.ones((1, 1, 4, 3), np.uint8)
    shown = drawn_masks(pixels, found, truth, "", worst=True)
    np.testing.assert_allclose(shown.pixels[:, 0, 0, 0], np.array([2, 0, 1]) / 127.5 - 1.0)


def test_data_without_masks_are_refused():
    with pytest.raises(DataError, match="--dataset=x has no pictures with masks"):
        require_masks(Split({"pixels": np.zeros((1, 2, 2, 3), np.uint8)}), "x")
