import numpy as np
import pytest

from lecture_models.metrics.instances import instance_overlaps, instance_scores, kinds_of_errors

TRUTH = np.zeros((8, 8), np.int64)
TRUTH[:4, :4], TRUTH[4:, 4:] = 1, 2


def test_the_truth_itself_is_perfect_whatever_its_numbers():
    renumbered = np.select([TRUTH == 1, TRUTH == 2], [9, 3], 0)
    np.testing.assert_allclose(instance_scores(renumbered, TRUTH), 1.0)
    np.testing.assert_allclose(instance_overlaps(renumbered, TRUTH), [[0.0, 1.0], [1.0, 0.0]])


def test_half_an_object_is_wrong_and_missed():
    found = TRUTH.copy()
    found[2:4, :4] = 0
    assert instance_overlaps(found, TRUTH)[0, 0] == 0.5
    # One right, one wrong, one missed.
    np.testing.assert_allclose(instance_scores(found, TRUTH), 1 / 3)


def test_nothing_found_and_nothing_there():
    np.testing.assert_allclose(instance_scores(0 * TRUTH, TRUTH), 0.0)
    np.testing.assert_allclose(instance_scores(0 * TRUTH, 0 * TRUTH), 1.0)
    np.testing.assert_allclose(instance_scores(TRUTH, 0 * TRUTH), 0.0)


def test_merged_split_and_missed_objects_are_counted():
    assert kinds_of_errors(TRUTH, TRUTH).tolist() == [0, 0, 0]
    assert kinds_of_errors((TRUTH > 0).astype(int), TRUTH).tolist() == [0, 1, 0]
    halves = TRUTH.copy()
    halves[:2, :4] = 3
    assert kinds_of_errors(halves, TRUTH).tolist() == [0, 0, 1]
    assert kinds_of_errors(0 * TRUTH, TRUTH).tolist() == [2, 0, 0]


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="must be equal"):
        instance_scores(TRUTH[:4], TRUTH)
    with pytest.raises(ValueError, match="it must be at least 0.5"):
        instance_scores(TRUTH, TRUTH, (0.3,))
