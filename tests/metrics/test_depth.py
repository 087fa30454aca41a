import numpy as np
import pytest

from lecture_models.metrics.depth import depth_scores

TRUTH = np.array([[[1.0, 2.0], [4.0, 10.0]]])


def test_four_pixels_by_hand():
    found = np.array([[[1.0, 3.0], [4.0, 5.0]]])
    scores = depth_scores(found, TRUTH)
    assert scores.abs_rel == pytest.approx((0.5 + 0.5) / 4)
    assert scores.rmse == pytest.approx(np.sqrt((1.0 + 25.0) / 4))
    assert scores.log10 == pytest.approx((np.log10(1.5) + np.log10(2.0)) / 4)
    assert (scores.delta_1, scores.delta_2, scores.delta_3) == (0.5, 0.75, 0.75)
    assert scores.known == 4


def test_true_depths_are_perfect_and_twice_them_have_an_error_of_one():
    assert depth_scores(TRUTH, TRUTH)[:6] == (0.0, 0.0, 0.0, 1.0, 1.0, 1.0)
    assert depth_scores(2.0 * TRUTH, TRUTH).abs_rel == pytest.approx(1.0)


def test_wider_ratios_hold_for_more_pixels():
    found = TRUTH * np.exp(np.random.default_rng(0).normal(0.0, 0.5, TRUTH.shape))
    scores = depth_scores(found, TRUTH)
    assert scores.delta_1 <= scores.delta_2 <= scores.delta_3


def test_unknown_depths_are_left_out_and_counted():
    truth = np.array([[[1.0, 0.0], [np.nan, 2.0]]])
    scores = depth_scores(np.array([[[1.0, 9.0], [9.0, 2.0]]]), truth)
    assert scores.known == 2
    assert scores.abs_rel == 0.0


def test_wrong_depths_are_refused():
    with pytest.raises(ValueError, match="must be equal"):
        depth_scores(TRUTH[:, :1], TRUTH)
    with pytest.raises(ValueError, match="no true depth is known"):
        depth_scores(TRUTH, 0.0 * TRUTH)
    with pytest.raises(ValueError, match="it must be above 0"):
        depth_scores(TRUTH - 1.0, TRUTH)
