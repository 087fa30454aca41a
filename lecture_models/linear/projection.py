"""Projects onto column spaces, and measures the identities that projections satisfy."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from lecture_models.linear.least_squares import Matrix, svd

Projector = Float[Array, "row row"]


def projector(matrix: Matrix, tolerance: float | None = None) -> Projector:
    """Returns the orthogonal projection onto the column space, P = U U^T.

    Args:
        matrix: the matrix A, of any rank.
        tolerance: singular values up to tolerance times the largest count as 0.

    Returns:
        The projection; its trace is the rank of A.
    """
    u, _, _, kept = svd(matrix, tolerance)
    basis = jnp.where(kept[None], u, 0.0)
    return basis @ basis.T


def projection_residuals(
    matrix: Matrix, projection: Projector, target: Float[Array, " row"], other: Float[Array, " row"]
) -> dict[str, Float[Array, ""]]:
    """Measures by how much the statements of the lecture about P = U U^T are violated.

    Args:
        matrix: the matrix A with the singular vectors u_i.
        projection: the projection P onto its column space.
        target: a vector b.
        other: any vector; v = P other lies in the column space.

    Returns:
        By statement, the largest absolute deviation, in the units of the vectors: 0 but for
        rounding.
    """
    u, _, _, kept = svd(matrix)
    projected, inside = projection @ target, projection @ other
    whole = jnp.sum((inside - target) ** 2)
    parts = jnp.sum((projected - target) ** 2) + jnp.sum((inside - projected) ** 2)
    identity = jnp.eye(len(projection), dtype=projection.dtype)
    basis = jnp.where(kept[None], u, 0.0)
    return {
        "PP = P": jnp.abs(projection @ projection - projection).max(),
        "P = P^T": jnp.abs(projection - projection.T).max(),
        "trace P = rank A": jnp.abs(jnp.trace(projection) - kept.sum()),
        "PA = A": jnp.abs(projection @ matrix - matrix).max(),
        "u_i^T (I - P) b = 0": jnp.abs(basis.T @ ((identity - projection) @ target)).max(),
        "|v - b|^2 = |Pb - b|^2 + |v - Pb|^2": jnp.abs(whole - parts),
    }


def penrose_residuals(
    matrix: Matrix, inverse: Float[Array, "column row"]
) -> dict[str, Float[Array, ""]]:
    """Measures by how much a matrix A' violates the four conditions of a pseudo-inverse of A.

    Args:
        matrix: the matrix A.
        inverse: the candidate A'.

    Returns:
        By condition, the largest absolute deviation: 0 but for rounding only for the pseudo-inverse
        of A. Penrose, 1955.
    """
    left, right = inverse @ matrix, matrix @ inverse
    return {
        "A A' A = A": jnp.abs(right @ matrix - matrix).max(),
        "A' A A' = A'": jnp.abs(left @ inverse - inverse).max(),
        "(A A')^T = A A'": jnp.abs(right - right.T).max(),
        "(A' A)^T = A' A": jnp.abs(left - left.T).max(),
    }


def low_rank(matrix: Matrix, rank: int) -> Matrix:
    """Returns the matrix of a given rank that is nearest in the Frobenius norm.

    Args:
        matrix: the matrix A.
        rank: the number of singular values that are kept, from 1.

    Returns:
        sum_{i <= rank} s_i u_i v_i^T; its squared error is the sum of the other s_i^2. Eckart and
        Young, 1936.
    """
    u, values, vt, _ = svd(matrix)
    return u[:, :rank] @ (values[:rank, None] * vt[:rank])
