import jax
import numpy as np
import pytest

from lecture_models.metrics.classification import batched_apply


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
