import numpy as np
import pytest
from sklearn.metrics.cluster import contingency_matrix

from lecture_models.metrics import clustering


def test_counts_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    classes, clusters = random.integers(0, 4, 100), random.integers(0, 6, 100)
    np.testing.assert_array_equal(
        clustering.contingency(classes, clusters), contingency_matrix(classes, clusters)
    )


def test_purity_of_the_textbook_and_its_limits():
    # Figure 16.4 of Manning et al.: (5 + 4 + 3) / 17.
    clusters = np.repeat([0, 1, 2], [6, 6, 5])
    classes = np.array([0] * 5 + [1] + [0] + [1] * 4 + [2] + [0] * 2 + [2] * 3)
    assert clustering.purity(classes, clusters) == pytest.approx(12.0 / 17.0)
    assert clustering.purity(classes, classes) == 1.0
    assert clustering.purity(classes, np.arange(17)) == 1.0
    assert clustering.purity(classes, np.zeros(17, int)) == pytest.approx(8.0 / 17.0)
