"""Tests scores of confusion matrices beside scikit-learn, and where a class is absent."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from lecture_models.metrics.classification import confusion_matrix
from lecture_models.metrics.macro_scores import SCORES

OF_SKLEARN = {
    "accuracy": accuracy_score,
    "macro recall": lambda *labels: recall_score(*labels, average="macro"),
    "macro F1": lambda *labels: f1_score(*labels, average="macro"),
}


@pytest.mark.parametrize("name", SCORES)
def test_scores_are_those_of_scikit_learn(name):
    generator = np.random.default_rng(0)
    labels, predictions = generator.integers(4, size=(2, 3, 50))
    confusions = np.stack(
        [confusion_matrix(*pair, 4) for pair in zip(labels, predictions, strict=True)]
    )
    expected = [OF_SKLEARN[name](*pair) for pair in zip(labels, predictions, strict=True)]
    np.testing.assert_allclose(SCORES[name](confusions), expected, rtol=1e-6)


def test_a_class_that_is_always_given_has_the_macro_recall_of_chance():
    confusion = np.array([[90, 0, 0], [7, 0, 0], [3, 0, 0]])
    assert float(SCORES["accuracy"](confusion)) == pytest.approx(0.9)
    assert float(SCORES["macro recall"](confusion)) == pytest.approx(1 / 3)


def test_an_absent_class_is_left_out():
    confusion = np.array([[4, 0, 0], [1, 3, 0], [0, 0, 0]])
    assert float(SCORES["macro recall"](confusion)) == pytest.approx(0.875)
    assert float(SCORES["macro F1"](confusion)) == pytest.approx((8 / 9 + 6 / 7) / 2)
