"""Draws random vectors of many dimensions, and states how the angles between them are distributed.

The cosine t of two independent vectors of uniform direction in n dimensions has the density
(1 - t^2)^((n - 3) / 2) / B(1/2, (n - 1) / 2): (t + 1) / 2 is beta distributed.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Key

Draw = Callable[[Key[Array, ""], tuple[int, int]], Float[Array, "vector dim"]]

_CHUNK = 2_000_000  # Numbers that are drawn at a time for each of two sets of vectors.


def draw_gaussian(key: Key[Array, ""], shape: tuple[int, int]) -> Float[Array, "vector dim"]:
    """Draws vectors from N(0, I).

    Args:
        key: a random key.
        shape: the numbers of vectors and of dimensions.

    Returns:
        The vectors, one per row.
    """
    return jax.random.normal(key, shape)


def draw_on_sphere(key: Key[Array, ""], shape: tuple[int, int]) -> Float[Array, "vector dim"]:
    """Draws points of the unit sphere, uniformly.

    Args:
        key: a random key.
        shape: the numbers of points and of dimensions.

    Returns:
        The points, one per row: a Gaussian vector has a uniform direction. Muller, 1959.
    """
    vectors = jax.random.normal(key, shape)
    return vectors / jnp.linalg.norm(vectors, axis=1, keepdims=True)


def cosines(
    first: Float[Array | np.ndarray, "pair dim"], second: Float[Array | np.ndarray, "pair dim"]
) -> Float[Array, " pair"]:
    """Returns the cosines of the angles between vectors, pair by pair.

    <x, y> / (|x| |y|)

    Args:
        first: the vectors x, one per row, none of them 0.
        second: the vectors y.

    Returns:
        One value from -1 to 1 for each pair.
    """
    norms = jnp.linalg.norm(first, axis=1) * jnp.linalg.norm(second, axis=1)
    return jnp.sum(first * second, axis=1) / norms


def sample_cosines(
    key: Key[Array, ""], draw: Draw, dim: int, pairs: int
) -> Float[np.ndarray, " pair"]:
    """Returns the cosines of independent pairs of vectors.

    Args:
        key: a random key.
        draw: draws vectors: `draw_gaussian` or `draw_on_sphere`.
        dim: the number of dimensions.
        pairs: the number of pairs.

    Returns:
        One cosine for each pair.
    """
    size = min(pairs, max(1, _CHUNK // dim))

    @jax.jit
    def sample(chunk_key):
        first_key, second_key = jax.random.split(chunk_key)
        return cosines(draw(first_key, (size, dim)), draw(second_key, (size, dim)))

    keys = jax.random.split(key, -(-pairs // size))
    return np.concatenate([np.asarray(sample(chunk_key)) for chunk_key in keys])[:pairs]


def expected_absolute_cosine(dim: int) -> float:
    """Returns E |t|, which approaches sqrt(2 / (pi n)).

    Args:
        dim: the number of dimensions n, at least 2.

    Returns:
        Gamma(n / 2) / (sqrt(pi) Gamma((n + 1) / 2)).
    """
    from scipy.special import gammaln

    return float(np.exp(gammaln(dim / 2.0) - gammaln((dim + 1.0) / 2.0)) / np.sqrt(np.pi))


def cosine_density(
    places: Float64[np.ndarray, " place"], dim: int
) -> Float64[np.ndarray, " place"]:
    """Returns the density of the cosine t of two random directions.

    Args:
        places: values of t in [-1, 1].
        dim: the number of dimensions n, at least 2.

    Returns:
        (1 - t^2)^((n - 3) / 2) / B(1/2, (n - 1) / 2).
    """
    from scipy import stats

    half = (dim - 1.0) / 2.0
    return stats.beta.pdf((places + 1.0) / 2.0, half, half) / 2.0


def cosine_p_value(
    cosine: float | Float64[np.ndarray, " pair"], dim: int
) -> float | Float64[np.ndarray, " pair"]:
    """Returns the chance that two random directions are as far from orthogonal.

    It is the lecture's converse: if the chance is tiny, the vectors are correlated.

    Args:
        cosine: the cosine t of the two vectors.
        dim: the number of dimensions, at least 2.

    Returns:
        P(|T| >= |t|), from 0 to 1.
    """
    from scipy import stats

    half = (dim - 1.0) / 2.0
    return 2.0 * stats.beta.cdf((1.0 - np.abs(cosine)) / 2.0, half, half)


def nearly_orthogonal_count(dim: int, largest: float) -> float:
    """Returns how many random directions have, with an even chance, all |cosines| below a bound.

    Of m directions, m^2 / 2 pairs each exceed the bound with the chance p; none does with about the
    chance exp(-p m^2 / 2), which is 1/2 for m = sqrt(2 log 2 / p).

    Args:
        dim: the number of dimensions.
        largest: the bound on the absolute cosine, from 0 to 1.

    Returns:
        The number m, which grows exponentially with the number of dimensions.
    """
    return float(np.sqrt(2.0 * np.log(2.0) / cosine_p_value(largest, dim)))


def johnson_lindenstrauss_dim(count: int, distortion: float) -> int:
    """Returns a number of dimensions in which the distances of points are hardly distorted.

    Args:
        count: the number n of points.
        distortion: the largest relative change of a squared distance, from 0 to 1.

    Returns:
        4 log n / (distortion^2 / 2 - distortion^3 / 3), rounded up: Dasgupta and Gupta, 2003. The
        shorter 8 log n / distortion^2 leaves out the cube, and is too few for large distortions.
    """
    return int(np.ceil(4.0 * np.log(count) / (distortion**2 / 2.0 - distortion**3 / 3.0)))


def random_projection(
    key: Key[Array, ""], vectors: Float[Array | np.ndarray, "example dim"], dim: int
) -> Float[Array, "example component"]:
    """Projects vectors by a Gaussian matrix, which keeps squared distances on average.

    Args:
        key: a random key.
        vectors: the vectors, one per row.
        dim: the number of dimensions to project to.

    Returns:
        The projected vectors.
    """
    matrix = jax.random.normal(key, (vectors.shape[1], dim)) / np.sqrt(dim)
    return jnp.matmul(vectors, matrix, precision="highest")
