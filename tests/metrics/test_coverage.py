import math

import numpy as np
import pytest

from lecture_models.metrics.coverage import (
    class_counts,
    class_kl_divergence,
    modes_covered,
)


def test_each_example_counts_for_its_largest_logit():
    logits = np.array([[0.1, 2.0, -1.0], [5.0, 4.0, 3.0], [0.0, 1.0, -3.0]])
    np.testing.assert_array_equal(class_counts(logits), [1, 2, 0])


def _certain(counts):
    """Returns logits of so many samples of each class, predicted with certainty."""
    return 20.0 * np.repeat(np.eye(len(counts)), counts, axis=0)


def test_samples_of_one_class_cover_one_mode():
    assert modes_covered(_certain([0, 0, 0, 100, 0, 0, 0, 0, 0, 0])) == 1


def test_balanced_samples_cover_every_mode():
    assert modes_covered(_certain([10] * 10)) == 10


@pytest.mark.parametrize("share", [0.01, 0.07, 0.29])
def test_a_class_is_covered_from_exactly_the_minimum_share(share):
    count = round(100 * share)
    assert modes_covered(_certain([100 - count, count]), share) == 2
    assert modes_covered(_certain([1000 - 10 * count + 1, 10 * count - 1]), share) == 1


def test_samples_that_could_be_anything_cover_no_mode():
    logits = np.random.default_rng(0).normal(scale=0.1, size=(100, 10))
    assert (class_counts(logits) >= 1).all()
    assert modes_covered(logits) == 0


def test_a_prediction_counts_from_exactly_the_minimum_confidence():
    logits = np.zeros((4, 2), np.float32)
    assert modes_covered(logits, minimum_confidence=0.5) == 1
    assert modes_covered(logits, minimum_confidence=0.501) == 0


def test_a_prediction_counts_from_one_half_unless_asked_otherwise():
    likely, unlikely = np.log([[0.6, 0.4]] * 100), np.log([[0.45, 0.3, 0.25]] * 100)
    assert modes_covered(likely) == 1
    assert modes_covered(unlikely) == 0


def test_the_share_is_of_all_samples_and_not_of_the_confident_ones():
    logits = np.concatenate([_certain([1, 0, 0]), np.zeros((199, 3))])
    assert modes_covered(logits) == 0
    assert modes_covered(logits[:100]) == 1


@pytest.mark.parametrize("bound", [0.0, -0.1, 1.1])
def test_a_bound_outside_zero_to_one_is_refused(bound):
    with pytest.raises(ValueError, match=f"minimum_share is {bound}"):
        modes_covered(_certain([1, 2]), bound)
    with pytest.raises(ValueError, match=f"minimum_confidence is {bound}"):
        modes_covered(_certain([1, 2]), minimum_confidence=bound)


def test_no_samples_are_refused():
    with pytest.raises(ValueError, match="there are 0"):
        modes_covered(np.zeros((0, 10)))
    with pytest.raises(ValueError, match="samples are all 0"):
        class_kl_divergence(np.zeros(3, int))
    with pytest.raises(ValueError, match="data are all 0"):
        class_kl_divergence(np.ones(3, int), np.zeros(3, int))


def test_different_numbers_of_classes_are_refused():
    with pytest.raises(ValueError, match="3 classes of samples and 4 of data"):
        class_kl_divergence(np.ones(3, int), np.ones(4, int))


def test_logits_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="1 of 2"):
        class_counts(np.array([[0.0, 1.0], [np.nan, 0.0]]))


def test_balanced_samples_do_not_diverge_from_uniform_data():
    assert class_kl_divergence(np.full(10, 7)) == 0.0


def test_samples_of_one_class_diverge_by_the_log_of_the_number_of_classes():
    assert class_kl_divergence(np.array([0, 0, 50, 0])) == pytest.approx(math.log(4))


def test_the_divergence_is_of_the_samples_from_the_data():
    counts, reference = np.array([1, 1]), np.array([30, 10])
    expected = 0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25)
    assert class_kl_divergence(counts, reference) == pytest.approx(expected)


def test_a_class_that_the_data_lacks_is_infinitely_far():
    assert class_kl_divergence(np.array([1, 1]), np.array([5, 0])) == math.inf
    assert class_kl_divergence(np.array([1, 0]), np.array([5, 0])) == 0.0
