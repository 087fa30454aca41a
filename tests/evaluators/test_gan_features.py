import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.data import digits
from lecture_models.evaluators.gan_features import feature_evaluation, pooled_features


def test_maps_are_reduced_to_the_maxima_of_four_by_four_places():
    maps = jnp.arange(64.0).reshape(1, 8, 8, 1)
    pooled = pooled_features({"conv1": maps, "conv2": -maps[:, :2, :3]})
    np.testing.assert_array_equal(pooled[0, :4], [9, 11, 13, 15])
    np.testing.assert_array_equal(pooled[0, 16:], [0, -1, -2, -8, -9, -10])


def test_the_last_place_is_smaller_where_the_side_is_not_a_multiple_of_four():
    maps = jnp.arange(49.0).reshape(1, 7, 7, 1)
    pooled = np.asarray(pooled_features({"conv1": maps})).reshape(4, 4)
    np.testing.assert_array_equal(pooled[:, 3], [13, 27, 41, 48])


@pytest.mark.slow
def test_features_that_tell_the_class_have_no_errors_and_pixels_have_some():
    """Hands the labels over as pixels, in place of a discriminator."""
    dataset = digits.read()
    marked = {}
    for name in ("train", "validation", "test"):
        split = getattr(dataset, name)
        images = np.array(split.images)
        images[:, 0, 0, 0] = split.labels
        marked[name] = type(split)(dict(split.arrays) | {"images": images})

    def activations(state, images):
        return {"conv1": jax.nn.one_hot(images[:, 0, 0, 0].astype(int), 10)[:, None, None, :]}

    results = feature_evaluation(activations, dataset._replace(**marked), 200)(())
    assert results["svm_error"] == 0.0
    assert 0.02 < results["pixel_svm_error"] < 0.3


def test_labeled_images_of_one_class_have_no_errors_to_tell():
    whole = digits.read()
    zeros = whole.train.select(whole.train.labels == 0)
    evaluate = feature_evaluation(lambda state, images: {}, whole._replace(train=zeros), 100)
    assert evaluate(()) == {}
