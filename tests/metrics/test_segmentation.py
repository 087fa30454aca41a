import numpy as np
import pytest

from lecture_models.metrics.segmentation import mask_iou, mask_scores

TRUTH = np.zeros((1, 4, 4), np.uint8)
TRUTH[:, :2] = 1


def test_known_overlaps():
    half = TRUTH.copy()
    half[:, 1] = 0
    assert mask_iou(TRUTH, TRUTH)[0] == 1.0
    assert mask_iou(1 - TRUTH, TRUTH)[0] == 0.0
    assert mask_iou(half, TRUTH)[0] == 0.5
    assert mask_iou(half, TRUTH)[0] == mask_iou(TRUTH, half)[0]
    assert mask_iou(0 * TRUTH, 0 * TRUTH)[0] == 1.0


def test_labels_count_as_one_object():
    assert mask_iou(5 * TRUTH, TRUTH)[0] == 1.0


def test_scores_of_half_a_mask():
    half = TRUTH.copy()
    half[:, 1] = 0
    scores = mask_scores(half, TRUTH)
    assert scores.object_iou == pytest.approx(0.5)
    assert scores.mean_iou == pytest.approx((0.5 + 8 / 12) / 2)
    assert scores.dice == pytest.approx(2 * 0.5 / 1.5)
    assert scores.accuracy == pytest.approx(0.75)


def test_masks_of_other_sizes_are_refused():
    with pytest.raises(ValueError, match="must be equal"):
        mask_iou(TRUTH[:, :2], TRUTH)
