"""Computes points from their distances: classical scaling, which Isomap applies to geodesics."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


def classical_scaling(
    distances: Float[Array | np.ndarray, "point point"], dim: int
) -> Float[Array, "point dim"]:
    """Returns points whose distances are close to given ones.

    B = -1/2 J D^2 J, J = 1 - 11^T / n; the points are the leading eigenvectors of B, each times the
    square root of its eigenvalue.

    Of Euclidean distances these are the principal components of the points, up to signs.

    Args:
        distances: D, symmetric, with a diagonal of 0.
        dim: the number of coordinates, at most the number of points.

    Returns:
        The points, centered; a coordinate with a negative eigenvalue is 0. Torgerson, 1952;
        Tenenbaum, de Silva and Langford, 2000.

    Raises:
        ValueError: `dim` is out of range.
    """
    count = len(distances)
    if not 1 <= dim <= count:
        raise ValueError(f"dim is {dim}; with {count} points it must be from 1 to {count}")
    squares = jnp.asarray(distances) ** 2
    rows, columns = squares.mean(1, keepdims=True), squares.mean(0, keepdims=True)
    products = -0.5 * (squares - rows - columns + squares.mean())
    values, vectors = jnp.linalg.eigh(products)
    leading = slice(None, -dim - 1, -1)  # eigh's eigenvalues ascend.
    return vectors[:, leading] * jnp.sqrt(jnp.maximum(values[leading], 0.0))[None, :]
