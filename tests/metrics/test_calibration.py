import numpy as np
import pytest

from lecture_models.metrics.calibration import expected_calibration_error, reliability


def logits_of(probabilities):
    return np.log(np.asarray(probabilities))


def test_two_bins_by_hand():
    # Confidences 0.6 and 0.8 in the upper half, none in the lower.
    found = reliability(logits_of([[0.6, 0.4], [0.2, 0.8]]), np.array([0, 0]), bins=2)
    assert found.count.tolist() == [0, 2]
    np.testing.assert_allclose(found.confidence, [np.nan, 0.7])
    np.testing.assert_allclose(found.accuracy, [np.nan, 0.5])
    assert expected_calibration_error(found) == pytest.approx(0.2)


def test_too_much_and_too_little_confidence_do_not_cancel():
    # Confidence 0.6 and always right, 0.4 too little; 0.9 and right half the time, 0.4 too much.
    logits = logits_of([[0.6, 0.4], [0.4, 0.6], [0.9, 0.1], [0.1, 0.9]])
    found = reliability(logits, np.array([0, 1, 0, 0]), bins=10)
    gaps = found.accuracy - found.confidence
    np.testing.assert_allclose(gaps[found.count > 0], [0.4, -0.4])
    assert expected_calibration_error(found) == pytest.approx(0.4)


def test_a_bin_ends_with_its_upper_edge():
    found = reliability(logits_of([[0.5, 0.25, 0.25], [0.4, 0.3, 0.3]]), np.array([0, 0]), bins=4)
    assert found.count.tolist() == [0, 2, 0, 0]


def test_sure_and_right_is_calibrated_and_sure_and_wrong_is_off_by_one():
    logits = np.array([[1e4, 0.0], [1e4, 0.0]])
    right, wrong = reliability(logits, np.array([0, 0])), reliability(logits, np.array([1, 1]))
    assert right.count[-1] == 2
    assert expected_calibration_error(right) == 0.0
    assert expected_calibration_error(wrong) == 1.0


def test_labels_drawn_from_the_probabilities_are_calibrated():
    rng = np.random.default_rng(0)
    logits = 2.0 * rng.normal(size=(50_000, 4))
    odds = np.exp(logits)
    edges = np.cumsum(odds / odds.sum(1, keepdims=True), axis=1)
    labels = (rng.random((50_000, 1)) > edges).sum(1)
    assert expected_calibration_error(reliability(logits, labels)) < 0.01
    assert expected_calibration_error(reliability(3.0 * logits, labels)) > 0.1


def test_bins_agree_with_scikit_learn():
    calibration = pytest.importorskip("sklearn.calibration")
    rng = np.random.default_rng(1)
    logits, labels = rng.normal(size=(2_000, 2)), rng.integers(0, 2, 2_000)
    found = reliability(logits, labels, bins=10)
    confidence = 1.0 / (1.0 + np.exp(-np.abs(logits[:, 0] - logits[:, 1])))
    right = logits.argmax(1) == labels
    accuracy, mean = calibration.calibration_curve(right, confidence, n_bins=10)
    filled = found.count > 0
    np.testing.assert_allclose(found.accuracy[filled], accuracy)
    np.testing.assert_allclose(found.confidence[filled], mean)


def test_no_images_unpaired_labels_and_no_bins_are_refused():
    with pytest.raises(ValueError, match="0 images, 0 labels and 15 bins"):
        reliability(np.zeros((0, 3)), np.zeros(0, np.int32))
    with pytest.raises(ValueError, match="2 images, 3 labels and 15 bins"):
        reliability(np.zeros((2, 3)), np.zeros(3, np.int32))
    with pytest.raises(ValueError, match="2 images, 2 labels and 0 bins"):
        reliability(np.zeros((2, 3)), np.zeros(2, np.int32), 0)
