"""Tests the area under the receiver operating characteristic."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lecture_models.metrics.out_of_distribution import auroc


def test_separate_scores_are_told_and_equal_ones_are_not():
    assert auroc(np.array([1.0, 2.0]), np.array([3.0, 4.0])) == 1.0
    assert auroc(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == 0.0
    assert auroc(np.array([1.0, 1.0]), np.array([1.0])) == 0.5


def test_it_is_that_of_scikit_learn():
    generator = np.random.default_rng(0)
    inside, outside = generator.normal(size=80), generator.normal(0.7, 1.5, size=50).round(1)
    expected = roc_auc_score([0] * 80 + [1] * 50, np.concatenate([inside, outside]))
    assert auroc(inside, outside) == pytest.approx(expected)


def test_no_scores_are_refused():
    with pytest.raises(ValueError, match="0 and 1 scores"):
        auroc(np.zeros(0), np.zeros(1))
