import jax
import numpy as np
import pytest

from lecture_models.metrics.classification import (
    batched_apply,
    confusion_matrix,
    error_percent,
    in_top,
    per_class_accuracy,
)


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(size=(11, 4, 3, 1)).astype(np.float32)


@pytest.mark.parametrize("batch_size", [1, 4, 11, 30])
def test_batches_give_what_the_whole_gives(images, batch_size):
    found = batched_apply(lambda x: {"sum": x.sum((1, 2, 3)), "double": 2 * x}, images, batch_size)
    np.testing.assert_allclose(found["sum"], images.sum((1, 2, 3)), rtol=1e-5)
    np.testing.assert_array_equal(found["double"], 2 * images)


def test_an_incomplete_batch_compiles_nothing_new(images):
    traced = []

    @jax.jit
    def function(batch):
        traced.append(batch.shape)
        return batch

    batched_apply(function, images, 4)
    assert traced == [(4, 4, 3, 1)]


def test_no_images_and_empty_batches_are_refused(images):
    with pytest.raises(ValueError, match="0 examples"):
        batched_apply(lambda x: x, images[:0], 4)
    with pytest.raises(ValueError, match="batches of 0"):
        batched_apply(lambda x: x, images, 0)


LOGITS = np.float32([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0], [2.0, 2.0, 2.0], [0.0, 5.0, 4.0]])
LABELS = np.int32([0, 0, 1, 2])


def test_the_label_must_be_among_the_k_largest_logits():
    assert in_top(LOGITS, LABELS, 1).tolist() == [True, False, False, False]
    assert in_top(LOGITS, LABELS, 2).tolist() == [True, False, True, True]
    assert in_top(LOGITS, LABELS, 3).all()
    assert error_percent(LOGITS, LABELS) == 75.0
    assert error_percent(LOGITS, LABELS, 2) == 25.0


@pytest.mark.parametrize("k", [1, 2, 5])
def test_errors_are_those_of_scikit_learn(k):
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(k)
    logits, labels = rng.normal(size=(300, 7)), rng.integers(0, 7, 300)
    accuracy = metrics.top_k_accuracy_score(labels, logits, k=k)
    assert error_percent(logits, labels, k) == pytest.approx(100.0 * (1.0 - accuracy))
    matrix = metrics.confusion_matrix(labels, logits.argmax(-1))
    found = confusion_matrix(labels, logits.argmax(-1), 7)
    np.testing.assert_array_equal(found, matrix)
    recalls = metrics.recall_score(labels, logits.argmax(-1), average=None)
    np.testing.assert_allclose(per_class_accuracy(found), recalls)


def test_top_1_is_what_argmax_finds_also_among_equals():
    logits = np.random.default_rng(0).integers(0, 3, (500, 4)).astype(np.float32)
    labels = np.random.default_rng(1).integers(0, 4, 500)
    np.testing.assert_array_equal(in_top(logits, labels, 1), logits.argmax(-1) == labels)


def test_rows_of_the_confusion_matrix_are_true_classes():
    found = confusion_matrix(np.array([0, 0, 2]), np.array([1, 0, 2]), 3)
    np.testing.assert_array_equal(found, [[1, 1, 0], [0, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(per_class_accuracy(found), [0.5, np.nan, 1.0])


def test_labels_that_are_no_class_are_refused():
    with pytest.raises(ValueError, match="from 0 to 3; with 3 classes they must be from 0 to 2"):
        in_top(LOGITS, np.int32([0, 1, 2, 3]), 1)
    with pytest.raises(ValueError, match="3 labels for 4 images"):
        error_percent(LOGITS, LABELS[:3])
    with pytest.raises(ValueError, match="k is 0; it must be at least 1"):
        error_percent(LOGITS, LABELS, 0)
    with pytest.raises(ValueError, match="from -1 to 2"):
        confusion_matrix(LABELS, LABELS - 1 + (LABELS > 0), 3)
