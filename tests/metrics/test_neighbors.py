import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from lecture_models.metrics.neighbors import nearest_neighbors


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def _images(rng, count):
    return rng.uniform(-1.0, 1.0, size=(count, 6, 5, 1)).astype(np.float32)


@pytest.mark.parametrize("chunk_size", [1, 7, 40, 4096])
def test_it_agrees_with_scikit_learn_whatever_the_chunk(rng, chunk_size):
    queries, references = _images(rng, 15), _images(rng, 40)
    search = NearestNeighbors(n_neighbors=1, algorithm="brute")
    search.fit(references.reshape(40, -1).astype(np.float64))
    distances, indices = search.kneighbors(queries.reshape(15, -1).astype(np.float64))
    found = nearest_neighbors(queries, references, chunk_size)
    np.testing.assert_array_equal(found.indices, indices[:, 0])
    np.testing.assert_allclose(found.distances, distances[:, 0], rtol=1e-9)


def test_a_copied_image_is_at_no_distance(rng):
    references = _images(rng, 40)
    found = nearest_neighbors(references[[31, 4]], references)
    np.testing.assert_array_equal(found.indices, [31, 4])
    np.testing.assert_array_equal(found.distances, [0.0, 0.0])


def test_the_first_of_equal_references_is_chosen():
    references = np.array([5.0, 1.0, 1.0, 1.0]).reshape(4, 1, 1, 1)
    assert nearest_neighbors(references[:1] - 5.0, references, chunk_size=2).indices.tolist() == [1]


def test_one_changed_pixel_is_its_difference_away(rng):
    references = _images(rng, 40)
    changed = references[[9]].copy()
    changed[0, 2, 3, 0] += 0.25
    found = nearest_neighbors(jnp.asarray(changed), references)
    assert found.indices.tolist() == [9]
    assert found.distances[0] == pytest.approx(0.25, abs=1e-6)


def test_no_references_and_empty_chunks_are_refused(rng):
    with pytest.raises(ValueError, match="0 references"):
        nearest_neighbors(_images(rng, 3), _images(rng, 0))
    with pytest.raises(ValueError, match="chunks of 0"):
        nearest_neighbors(_images(rng, 3), _images(rng, 3), chunk_size=0)


def test_images_of_another_size_are_refused(rng):
    with pytest.raises(ValueError, match=r"\(6, 5, 1\) and references \(5, 6, 1\)"):
        nearest_neighbors(_images(rng, 3), _images(rng, 3).reshape(3, 5, 6, 1))
