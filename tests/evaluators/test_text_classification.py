"""Tests what is shown of classified texts."""

import numpy as np
import pytest

from lecture_models.evaluators.text_classification import (
    Judged,
    colored_words,
    confident_errors,
    heading,
    percentages,
    pictures,
    score_percent,
)

CLASSES = ("bad", "good")
JUDGED = Judged(
    [["a"], ["b", "c"], ["d"], ["e"]],
    np.array([0, 1, 1, 0]),
    np.array([[2.0, 0.0], [3.0, 0.0], [0.0, 1.0], [0.0, 0.5]]),
    np.array([0, 0, 1, 1]),
)


def test_scores_are_means_over_the_folds():
    uneven = JUDGED._replace(folds=np.array([0, 1, 1, 1]))
    np.testing.assert_allclose(score_percent(uneven, "accuracy"), [100.0, 100.0 / 3.0], rtol=1e-6)
    assert percentages(uneven)["accuracy"] == pytest.approx(200.0 / 3.0)
    assert JUDGED.confusions.tolist() == [[[1, 0], [1, 0]], [[0, 1], [0, 1]]]


def test_the_most_confident_error_comes_first():
    rows = confident_errors(JUDGED, CLASSES).rows
    assert [row[1:] for row in rows] == [("bad", "good", "b c"), ("good", "bad", "e")]
    assert rows[0][0] == pytest.approx(1 / (1 + np.exp(-3.0)), abs=1e-3)


def test_a_heading_names_class_probability_and_truth():
    assert heading(np.array([0.0, 0.0]), CLASSES, None) == "[bad 0.50]"
    assert heading(np.array([0.0, 3.0]), CLASSES, 0) == "[good 0.95; in the data bad]"


def test_words_are_colored_by_their_contributions():
    def picture(numbers):
        return np.asarray(colored_words([["one", "two"]], [np.array(numbers)], ["[x]"]).pixels)

    plain, colored = picture([0.0, 0.0]), picture([1.0, -0.5])
    changed = np.flatnonzero((plain != colored).any(axis=(0, 1, 3)))
    assert changed.min() < 8 + 3 * 9 <= changed.max() < 8 + 7 * 9
    np.testing.assert_array_equal(colored, picture([20.0, -10.0]))


def test_long_texts_are_broken_between_words():
    words = ["word"] * 60
    one = colored_words([words[:20]], [np.zeros(20)], ["[x]"]).pixels
    many = colored_words([words], [np.zeros(60)], ["[x]"]).pixels
    assert many.shape[1] == one.shape[1] + 2 * 18


def test_the_pictures_count_texts_of_all_folds():
    found = pictures(JUDGED, CLASSES, "test")
    assert set(found) == {"test_confusion", "test_reliability"}
    assert all(np.ptp(np.asarray(images.pixels)) > 0 for images in found.values())
