import jax
import numpy as np
import pytest

from lecture_models.metrics.classification import batched_apply, top_1_accuracy


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
    with pytest.raises(ValueError, match="0 images"):
        batched_apply(lambda x: x, images[:0], 4)
    with pytest.raises(ValueError, match="batches of 0"):
        batched_apply(lambda x: x, images, 0)


def test_accuracy_is_the_fraction_of_labels_with_the_largest_logit():
    logits = np.array([[1.0, 0.0], [0.0, 1.0], [3.0, 2.0], [0.0, 0.1]])
    assert top_1_accuracy(logits, np.array([0, 1, 1, 1])) == 0.75


def test_accuracy_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1 example"):
        top_1_accuracy(np.zeros((0, 2)), np.zeros(0, int))
