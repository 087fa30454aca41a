import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.attribution.score_cam import masked, score_cam

RNG = np.random.default_rng(0)
FEATURES = RNG.uniform(size=(3, 4, 5)).astype(np.float32)


def test_an_image_is_seen_through_a_map_from_0_to_1():
    image = np.full((4, 4, 3), 0.5, np.float32)
    maps = jnp.array([[[2.0, 2.0], [6.0, 6.0]], [[7.0, 7.0], [7.0, 7.0]]])
    seen = np.asarray(masked(image, maps))
    assert seen.shape == (2, 4, 4, 3)
    np.testing.assert_allclose(
        seen[0, [0, -1]], np.array([0.0, 0.5]).reshape(2, 1, 1) + 0.0 * image[:2]
    )
    np.testing.assert_array_equal(seen[1], np.zeros_like(image))


def test_maps_are_weighted_by_the_softmax_of_their_scores():
    scores = [0.0, 1.0, 3.0, -2.0, 1.0]
    by_sum = {float(FEATURES[..., k].sum()): score for k, score in enumerate(scores)}
    found = score_cam(lambda maps: np.array([by_sum[float(m.sum())] for m in maps]), FEATURES, 2)
    np.testing.assert_allclose(found, FEATURES @ (np.exp(scores) / np.exp(scores).sum()), rtol=1e-5)


def test_of_a_network_that_ignores_the_image_all_maps_count_the_same():
    found = score_cam(lambda maps: np.full(len(maps), 4.2, np.float32), FEATURES, 3)
    np.testing.assert_allclose(found, FEATURES.mean(axis=-1), rtol=1e-5)
    # So a layer whose maps are each other's complement gives a flat map.
    complement = np.concatenate([FEATURES, 1.0 - FEATURES], axis=-1)
    flat = score_cam(lambda maps: np.zeros(len(maps), np.float32), complement, 4)
    np.testing.assert_allclose(flat, np.full((3, 4), 0.5), rtol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 2, 5, 8])
def test_the_batch_size_does_not_matter(batch_size):
    def score(maps):
        assert len(maps) == batch_size
        return maps.max(axis=(1, 2))

    expected = score_cam(lambda maps: maps.max(axis=(1, 2)), FEATURES, 4)
    np.testing.assert_allclose(score_cam(score, FEATURES, batch_size), expected, rtol=1e-6)


def test_few_features_are_those_that_vary_most_and_constant_ones_never():
    features = FEATURES * np.array([1.0, 3.0, 0.0, 2.0, 0.1], np.float32)
    seen = []

    def score(maps):
        seen.extend(maps)
        return np.zeros(len(maps), np.float32)

    score_cam(score, features, 1, 2)
    np.testing.assert_array_equal(seen, np.moveaxis(features[..., [1, 3]], -1, 0))
    seen.clear()
    score_cam(score, features, 1)
    assert len(seen) == 4


def test_a_layer_of_constant_maps_says_nothing():
    found = score_cam(lambda maps: np.zeros(len(maps)), np.ones((2, 3, 4), np.float32), 2)
    np.testing.assert_array_equal(found, np.zeros((2, 3)))


def test_evidence_against_a_class_is_left_out():
    found = score_cam(lambda maps: np.zeros(len(maps), np.float32), -FEATURES, 2)
    np.testing.assert_array_equal(found, np.zeros((3, 4)))


def test_no_batch_is_refused():
    with pytest.raises(ValueError, match="batch_size is 0 and num_features 0"):
        score_cam(lambda maps: maps, FEATURES, 0)
