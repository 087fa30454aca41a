"""Divides vectors into clusters by Lloyd's algorithm, started at random or by k-means++."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

Vectors = Float[Array | np.ndarray, "example dim"]
Centers = Float[Array, "cluster dim"]


class Assignment(NamedTuple):
    """Holds the nearest center of each example.

    Attributes:
        labels: the index of the nearest center.
        squared: the squared Euclidean distance to it.
    """

    labels: Int[Array, " example"]
    squared: Float[Array, " example"]


class Clustering(NamedTuple):
    """Holds the result of k-means.

    Attributes:
        centers: the mean of each cluster, (cluster, dim).
        labels: the cluster of each example.
        costs: the cost after each assignment, the last one last; it never rises.
        reseeded: how many times an empty cluster got a new center.
    """

    centers: Centers
    labels: Int[Array, " example"]
    costs: tuple[float, ...]
    reseeded: int

    @property
    def cost(self) -> float:
        """Returns the sum of the squared distances of the examples to their centers."""
        return self.costs[-1]


def require_clusters(vectors: Vectors, count: int) -> None:
    """Refuses vectors that cannot be divided into so many clusters.

    Args:
        vectors: the examples, one per row.
        count: the number of clusters.

    Returns:
        None.

    Raises:
        ValueError: a value is not finite, or there are fewer distinct vectors than clusters.
    """
    rows = np.asarray(vectors)
    not_finite = int((~np.isfinite(rows)).any(axis=1).sum())
    if not_finite:
        raise ValueError(f"vectors must be finite; {not_finite} of {len(rows)} are not")
    if count < 1:
        raise ValueError(f"there are {count} clusters; there must be at least 1")
    distinct: set[bytes] = set()
    for row in rows:
        distinct.add((row + 0.0).tobytes())  # 0.0 and -0.0 are one value.
        if len(distinct) == count:
            return
    raise ValueError(
        f"there are {count} clusters and {len(distinct)} distinct vectors; there must be at most "
        "as many clusters"
    )


def squared_distances(
    vectors: Vectors, centers: Float[Array | np.ndarray, "cluster dim"]
) -> Float[Array, "example cluster"]:
    """Returns the squared Euclidean distance of each vector to each center.

    |x - c|^2 = |x|^2 - 2 x.c + |c|^2, with the mean of the centers as origin: near it, the sum
    loses the fewest digits.

    Args:
        vectors: the vectors x, one per row.
        centers: the centers c.

    Returns:
        The squared distances, at least 0.
    """
    origin = centers.mean(axis=0, keepdims=True)
    vectors, centers = vectors - origin, centers - origin
    products = jnp.matmul(vectors, centers.T, precision="highest")
    squared = (vectors**2).sum(axis=1)[:, None] - 2.0 * products + (centers**2).sum(axis=1)[None]
    return jnp.maximum(squared, 0.0)


@jax.jit
def assign(vectors: Vectors, centers: Float[Array | np.ndarray, "cluster dim"]) -> Assignment:
    """Finds the nearest center of each vector.

    Args:
        vectors: the vectors, one per row.
        centers: the centers.

    Returns:
        The assignment; of equally near centers the first.
    """
    squared = squared_distances(vectors, centers)
    return Assignment(squared.argmin(axis=1), squared.min(axis=1))


@jax.jit
def cluster_means(
    vectors: Vectors, assignment: Assignment, centers: Centers
) -> tuple[Centers, Int[Array, ""]]:
    """Returns the mean of each cluster, which minimizes the cost of the assignment.

    An empty cluster gets the example that is farthest from its center, the next one the second
    farthest: a center that has no examples can move without raising the cost.

    Args:
        vectors: the examples, one per row.
        assignment: the cluster of each.
        centers: the old centers.

    Returns:
        The new centers, and the number of clusters that were empty.
    """
    members = jax.nn.one_hot(assignment.labels, len(centers), dtype=vectors.dtype)
    counts = members.sum(axis=0)
    sums = jnp.matmul(members.T, vectors, precision="highest")
    means = sums / jnp.maximum(counts, 1.0)[:, None]
    is_empty = counts == 0
    farthest = jax.lax.top_k(assignment.squared, len(centers))[1]
    rank = jnp.maximum(jnp.cumsum(is_empty) - 1, 0)  # The empty clusters are counted from 0.
    return jnp.where(is_empty[:, None], vectors[farthest[rank]], means), is_empty.sum()


def random_centers(key: Key[Array, ""], vectors: Vectors, count: int) -> Centers:
    """Draws examples as first centers, all with equal chance.

    Args:
        key: a random key.
        vectors: the examples, one per row.
        count: the number of centers.

    Returns:
        The centers: Forgy, 1965.
    """
    chosen = jax.random.choice(key, len(vectors), (count,), replace=False)
    return jnp.asarray(vectors)[chosen]


def plus_plus_centers(key: Key[Array, ""], vectors: Vectors, count: int) -> Centers:
    """Draws examples as first centers, with a chance proportional to the squared distance.

    The first is drawn with equal chance, each further one with the chance D(x)^2 / sum D^2, where
    D(x) is the distance of x to the nearest center so far. The expected cost is at most
    8 (ln k + 2) times the smallest one.

    Args:
        key: a random key.
        vectors: the examples, one per row; at least `count` of them distinct.
        count: the number k of centers.

    Returns:
        The centers: Arthur and Vassilvitskii, 2007, section 2.2.
    """
    return _plus_plus(key, jnp.asarray(vectors), count)


@jax.jit(static_argnums=2)
def _plus_plus(key, vectors, count):
    first_key, key = jax.random.split(key)
    first = vectors[jax.random.randint(first_key, (), 0, len(vectors))]

    def draw(nearest, draw_key):
        # The difference itself is exactly 0 for a center, which is then never drawn again.
        chosen = vectors[jax.random.categorical(draw_key, jnp.log(nearest))]
        nearest = jnp.minimum(nearest, ((vectors - chosen[None]) ** 2).sum(axis=1))
        return nearest, chosen

    nearest = ((vectors - first[None]) ** 2).sum(axis=1)
    _, others = jax.lax.scan(draw, nearest, jax.random.split(key, count - 1))
    return jnp.concatenate([first[None], others])


def lloyd(vectors: Vectors, centers: Centers, max_iterations: int = 300) -> Clustering:
    """Alternates between assigning examples to centers and moving the centers to the means.

    It minimizes J = sum_i min_k |x_i - c_k|^2; neither half of an iteration raises it. It ends
    when no example changes its cluster, in a local minimum.

    Args:
        vectors: the examples x_i, one per row.
        centers: the first centers.
        max_iterations: the most iterations.

    Returns:
        The clustering; its labels belong to its centers. Lloyd, 1982; Bishop, 2006, section 9.1.

    Raises:
        ValueError: a value is not finite, or there are fewer distinct vectors than centers.
    """
    require_clusters(vectors, len(centers))
    vectors = jnp.asarray(vectors)
    assignment = assign(vectors, centers)
    costs, reseeded = [float(assignment.squared.sum())], 0
    for _ in range(max_iterations):
        centers, empty = cluster_means(vectors, assignment, centers)
        moved = assign(vectors, centers)
        costs.append(float(moved.squared.sum()))
        reseeded += int(empty)
        changed = bool((moved.labels != assignment.labels).any())
        assignment = moved
        if not changed:
            break
    return Clustering(centers, assignment.labels, tuple(costs), reseeded)


def k_means(
    key: Key[Array, ""],
    vectors: Vectors,
    count: int,
    starts: int = 1,
    seed: Callable[[Key[Array, ""], Vectors, int], Centers] = plus_plus_centers,
) -> Clustering:
    """Returns the clustering of the lowest cost among several starts.

    Args:
        key: a random key.
        vectors: the examples, one per row.
        count: the number of clusters.
        starts: the number of starts.
        seed: draws the first centers: `plus_plus_centers` or `random_centers`.

    Returns:
        The best clustering.

    Raises:
        ValueError: a value is not finite, or there are fewer distinct vectors than clusters.
    """
    require_clusters(vectors, count)
    runs = (
        lloyd(vectors, seed(start_key, vectors, count))
        for start_key in jax.random.split(key, starts)
    )
    return min(runs, key=lambda clustering: clustering.cost)
