"""Tests the classifier that counts words and pairs of words."""

import numpy as np

from lecture_models.linear.bag_of_words import logistic_regression


def accuracy(labels, predictions):
    return float((labels == predictions).mean())


def test_pairs_of_words_tell_what_single_words_cannot():
    good, bad = ["a", "good", "b"], ["b", "good", "a"]
    texts, labels = [good, bad] * 20, np.array([0, 1] * 20)
    found = logistic_regression((texts, labels), (texts, labels), [bad, good], accuracy, True)
    assert found.argmax(axis=1).tolist() == [1, 0]
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1.0)


def test_words_of_the_test_texts_alone_change_nothing():
    texts, labels = [["x", "y"], ["z"]] * 10, np.array([0, 1] * 10)
    tests = [["x", "y"], ["x", "y", "new", "new"]]
    found = logistic_regression((texts, labels), (texts, labels), tests, accuracy, False)
    np.testing.assert_allclose(found[0], found[1])
