"""Tests how texts are divided into folds, and that no fold learns from its held-out texts."""

import numpy as np
import pytest

from lecture_models.data import made_opinions
from lecture_models.data.dataset import DataError, Dataset, Provenance
from lecture_models.data.labeled_texts import labeled_texts
from lecture_models.data.lookup import Library
from lecture_models.tasks.text_folds import (
    TEST,
    TRAIN,
    VALIDATION,
    make_folds,
    part_arrays,
    training_split,
)


def dataset(train, validation, test):
    splits = [
        labeled_texts(texts, [number % 2 for number in range(len(texts))])
        for texts in (train, validation, test)
    ]
    return Dataset(*splits, ("no", "yes"), Provenance("few", "written", ()))


FEW = dataset(["a b a", "b c"], ["a c c"], ["c d d"])


def test_the_split_of_the_data_is_kept_as_one_fold():
    folds = make_folds(FEW, 0, 2, 60)
    assert folds.parts.tolist() == [[TRAIN, TRAIN, VALIDATION, TEST]]
    assert [folds.tokens[text].tolist() for text in range(4)] == [
        [1, 2, 1],
        [2, 0],
        [1, 0, 0],
        [0, 0, 0],
    ]
    assert len(folds) == 1


def test_the_vocabulary_does_not_depend_on_held_out_texts():
    other = dataset(["a b a", "b c"], ["c c c c b b b"], ["d d", "c c a"])
    first, second = make_folds(FEW, 0, 2, 60), make_folds(other, 0, 2, 60)
    assert first.vocabulary == second.vocabulary
    np.testing.assert_array_equal(first.known, second.known)


def test_each_text_tests_once_and_validates_once():
    folds = make_folds(made_opinions.make(), 5, 2, 60)
    assert ((folds.parts == TEST).sum(axis=0) == 1).all()
    assert ((folds.parts == VALIDATION).sum(axis=0) == 1).all()
    shares = [np.mean(folds.labeled(fold, TEST)[1] == 2) for fold in range(5)]
    assert np.ptp(shares) < 0.02


def test_a_fold_does_not_know_the_words_of_its_test_texts_alone():
    texts = ["same words"] * 60
    texts[7] = "rare rare rare"
    folds = make_folds(dataset(texts[:40], texts[40:50], texts[50:]), 3, 2, 60)
    rare = folds.vocabulary.index("rare")
    (tested,) = np.flatnonzero(folds.parts[:, 7] == TEST)
    (validated,) = np.flatnonzero(folds.parts[:, 7] == VALIDATION)
    assert not folds.known[tested, rare]
    assert not folds.known[validated, rare]
    assert folds.known[3 - tested - validated, rare]
    arrays = part_arrays(folds, TEST)
    row = folds.members(int(tested), TEST).tolist().index(7)
    assert arrays.tokens[tested, row].tolist() == [0, 0, 0]
    assert arrays.exists.sum() == 60


def test_training_weights_are_zero_outside_and_balance_the_classes():
    texts = made_opinions.make()
    folds = make_folds(texts, 3, 2, 60)
    split = training_split(folds, balanced=True)
    weights = split["fold_weights"]
    np.testing.assert_array_equal(weights > 0, folds.parts.T == TRAIN)
    for fold in range(3):
        sums = np.bincount(split.labels, weights=weights[:, fold])
        np.testing.assert_allclose(sums, sums[0], rtol=1e-5)
        assert weights[:, fold].sum() == pytest.approx(len(folds.members(fold, TRAIN)), rel=1e-5)
    single = training_split(make_folds(texts, 0, 2, 60), balanced=False)
    assert len(single) == 600
    assert set(single["fold_weights"].ravel()) == {1.0}


def test_too_many_folds_and_data_without_texts_are_refused():
    with pytest.raises(DataError, match="--folds is 3; the rarest class of few has 1 texts"):
        make_folds(FEW, 3, 2, 60)
    with pytest.raises(DataError, match="digits has no texts"):
        make_folds(Library(None, print).load("digits"), 0, 2, 60)
