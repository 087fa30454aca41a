import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from lecture_models.metrics.label_agreement import (
    chance_agreement,
    label_agreement,
    nearest_others,
)


def test_neighbors_are_those_of_scikit_learn():
    vectors = np.random.default_rng(0).normal(100.0, 1.0, (70, 9)).astype(np.float32)
    search = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(vectors.astype(np.float64))
    expected = search.kneighbors(return_distance=False)
    np.testing.assert_array_equal(nearest_others(vectors, 5, chunk_size=16), expected)


def test_nobody_is_a_neighbor_of_himself_but_a_copy_is():
    vectors = np.array([[0.0], [5.0], [0.0], [6.0]], np.float32)
    assert nearest_others(vectors, 1).tolist() == [[2], [3], [0], [1]]


def test_of_equal_distances_the_lower_index_is_first():
    square = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], np.float32)
    assert nearest_others(square, 3).tolist()[0] == [1, 2, 3]
    assert nearest_others(square, 2).tolist()[3] == [1, 2]


def test_agreement_is_the_share_of_neighbors_with_the_label():
    neighbors = np.array([[1, 2], [0, 2], [0, 1]])
    labels = np.array([4, 4, 7])
    assert label_agreement(neighbors, labels).tolist() == [0.5, 0.5, 0.0]


def test_separate_classes_agree_in_all():
    vectors = np.concatenate([np.zeros((4, 2)), 9.0 + np.eye(4, 2)]).astype(np.float32)
    labels = np.repeat([0, 1], 4)
    assert label_agreement(nearest_others(vectors, 3), labels).min() == 1.0


def test_chance_is_the_mean_over_random_neighbors():
    labels = np.array([0, 0, 0, 1, 2, 2])
    pairs = [labels[i] == labels[j] for i in range(6) for j in range(6) if i != j]
    assert chance_agreement(labels) == pytest.approx(np.mean(pairs))
    assert chance_agreement(np.zeros(5, int)) == 1.0
    assert chance_agreement(np.arange(5)) == 0.0


def test_more_neighbors_than_others_are_refused():
    with pytest.raises(ValueError, match="count is 3; with 3 vectors it must be from 1 to 2"):
        nearest_others(np.zeros((3, 2), np.float32), 3)
    with pytest.raises(ValueError, match="1 labels; there must be at least 2"):
        chance_agreement(np.array([1]))
