import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn import cluster

from lecture_models.linear import kmeans


def blobs(count=50, clusters=4, dim=5, seed=0):
    """Returns far clusters of `count` vectors each, and their labels."""
    random = np.random.default_rng(seed)
    centers = 20.0 * random.normal(size=(clusters, dim))
    rows = np.repeat(centers, count, axis=0) + random.normal(size=(count * clusters, dim))
    return rows.astype(np.float32), np.repeat(np.arange(clusters), count)


ROWS, LABELS = blobs()
NOISE = np.random.default_rng(1).normal(size=(200, 5)).astype(np.float32)


def test_distances_are_those_of_the_differences_even_far_from_the_origin():
    rows = ROWS + 1_000.0
    expected = ((rows[:, None, :] - rows[None, :7, :]) ** 2).sum(axis=2)
    np.testing.assert_allclose(
        kmeans.squared_distances(rows, rows[:7]), expected, rtol=1e-4, atol=2e-2
    )


def test_lloyd_ends_where_scikit_learn_ends():
    centers = NOISE[:8]
    ours = kmeans.lloyd(NOISE, jnp.asarray(centers))
    theirs = cluster.KMeans(8, init=centers, n_init=1, tol=0.0, algorithm="lloyd").fit(NOISE)
    np.testing.assert_array_equal(ours.labels, theirs.labels_)
    np.testing.assert_allclose(ours.centers, theirs.cluster_centers_, atol=1e-5)
    assert ours.cost == pytest.approx(theirs.inertia_, rel=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_the_cost_never_rises_and_ends_where_no_label_changes(seed):
    centers = kmeans.random_centers(jax.random.key(seed), NOISE, 8)
    clustering = kmeans.lloyd(NOISE, centers)
    falls = [
        second <= first * (1.0 + 1e-6) for first, second in itertools.pairwise(clustering.costs)
    ]
    assert all(falls)
    assert clustering.costs[-1] < clustering.costs[0]
    again = kmeans.lloyd(NOISE, clustering.centers)
    np.testing.assert_array_equal(again.labels, clustering.labels)


def test_centers_are_the_means_of_their_clusters():
    clustering = kmeans.k_means(jax.random.key(0), ROWS, 4)
    means = [ROWS[np.asarray(clustering.labels) == label].mean(axis=0) for label in range(4)]
    np.testing.assert_allclose(clustering.centers, np.stack(means), atol=1e-4)
    cost = ((ROWS - np.stack(means)[np.asarray(clustering.labels)]) ** 2).sum()
    assert clustering.cost == pytest.approx(cost, rel=1e-4)  # The squares are of 32 bits.


def test_one_cluster_costs_the_total_variance():
    clustering = kmeans.k_means(jax.random.key(0), NOISE, 1)
    assert clustering.cost == pytest.approx(float(NOISE.var(axis=0).sum() * len(NOISE)), rel=1e-5)


def test_as_many_clusters_as_distinct_vectors_cost_nothing():
    rows = np.repeat(np.eye(4, 5, dtype=np.float32), 50, axis=0)
    assert kmeans.k_means(jax.random.key(0), rows, 4).cost == pytest.approx(0.0, abs=1e-6)


def test_plus_plus_never_draws_a_vector_twice():
    rows = np.repeat(np.eye(4, 5, dtype=np.float32), 50, axis=0)
    for seed in range(5):
        centers = kmeans.plus_plus_centers(jax.random.key(seed), rows, 4)
        np.testing.assert_array_equal(np.sort(centers.argmax(axis=1)), np.arange(4))


def test_plus_plus_begins_in_every_far_cluster_and_random_centers_do_not():
    def clusters_hit(seed):
        return [
            len(set(LABELS[np.asarray(kmeans.assign(centers, ROWS).labels)]))
            for centers in (
                kmeans.plus_plus_centers(jax.random.key(seed), ROWS, 4),
                kmeans.random_centers(jax.random.key(seed), ROWS, 4),
            )
        ]

    ours, random = np.mean([clusters_hit(seed) for seed in range(10)], axis=0)
    assert ours > 3.7
    assert random < 3.4


def test_an_empty_cluster_is_moved_to_the_farthest_example():
    rows = np.array([[0.0], [1.0], [10.0], [11.0]], np.float32)
    centers = jnp.array([[0.5], [500.0]], jnp.float32)
    assignment = kmeans.assign(rows, centers)
    moved, empty = kmeans.cluster_means(rows, assignment, centers)
    assert int(empty) == 1
    np.testing.assert_allclose(moved, [[5.5], [11.0]])
    clustering = kmeans.lloyd(rows, centers)
    assert clustering.reseeded == 1
    assert clustering.cost == pytest.approx(1.0)
    assert set(np.ravel(clustering.centers).tolist()) == {0.5, 10.5}


def test_two_empty_clusters_get_different_examples():
    rows = np.arange(6.0, dtype=np.float32)[:, None]
    centers = jnp.array([[2.0], [100.0], [200.0]], jnp.float32)
    moved, empty = kmeans.cluster_means(rows, kmeans.assign(rows, centers), centers)
    assert int(empty) == 2
    np.testing.assert_allclose(np.ravel(moved), [2.5, 5.0, 4.0])


def test_more_starts_never_cost_more():
    one, many = (
        kmeans.k_means(jax.random.key(3), NOISE, 8, starts, kmeans.random_centers).cost
        for starts in (1, 5)
    )
    costs = [
        kmeans.lloyd(NOISE, kmeans.random_centers(key, NOISE, 8)).cost
        for key in jax.random.split(jax.random.key(3), 5)
    ]
    assert many == pytest.approx(min(costs))
    assert many <= one


def test_vectors_that_cannot_be_clustered_are_refused():
    with pytest.raises(ValueError, match="5 clusters and 4 distinct vectors"):
        kmeans.require_clusters(np.repeat(np.eye(4, dtype=np.float32), 3, axis=0), 5)
    with pytest.raises(ValueError, match="2 clusters and 1 distinct vectors"):
        kmeans.require_clusters(np.array([[0.0], [-0.0]], np.float32), 2)
    with pytest.raises(ValueError, match="vectors must be finite; 1 of 2 are not"):
        kmeans.k_means(jax.random.key(0), np.array([[0.0], [np.nan]], np.float32), 1)
    with pytest.raises(ValueError, match="there are 0 clusters"):
        kmeans.require_clusters(NOISE, 0)
