"""Solves min_x |A x - b|^2 in the ways of the lectures, which agree but for rounding."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

Matrix = Float[Array, "row column"]
Target = Float[Array, " row"]
Solution = Float[Array, " column"]


class Svd(NamedTuple):
    """Holds a thin singular value decomposition, A = U S V^T.

    Attributes:
        u: orthonormal columns U; the first `rank` are a basis of the column space.
        values: the singular values s, in descending order.
        vt: orthonormal rows V^T; the first `rank` are a basis of the row space.
        kept: True for the singular values that count as not 0.
    """

    u: Float[Array, "row value"]
    values: Float[Array, " value"]
    vt: Float[Array, "value column"]
    kept: Bool[Array, " value"]


def svd(matrix: Matrix, tolerance: float | None = None) -> Svd:
    """Returns the singular value decomposition of a matrix.

    Args:
        matrix: the matrix A.
        tolerance: singular values up to tolerance times the largest count as 0; None for the
            precision of the numbers times the larger side, as NumPy's `matrix_rank` has it.

    Returns:
        The decomposition.
    """
    u, values, vt = jnp.linalg.svd(matrix, full_matrices=False)
    if tolerance is None:
        tolerance = max(matrix.shape) * float(jnp.finfo(matrix.dtype).eps)
    return Svd(u, values, vt, values > tolerance * values[0])


def squared_error(matrix: Matrix, solution: Solution, target: Target) -> Float[Array, ""]:
    """Returns f(x) = |A x - b|^2.

    Args:
        matrix: the matrix A.
        solution: the vector x.
        target: the vector b.

    Returns:
        The squared length of the residual, at least 0.
    """
    return jnp.sum((matrix @ solution - target) ** 2)


def gradient(matrix: Matrix, solution: Solution, target: Target) -> Solution:
    """Returns the gradient of |A x - b|^2 as the lecture writes it: 2 A^T A x - 2 A^T b.

    Args:
        matrix: the matrix A.
        solution: the vector x.
        target: the vector b.

    Returns:
        The gradient by x, 0 at every solution.
    """
    return 2.0 * matrix.T @ (matrix @ solution) - 2.0 * matrix.T @ target


@jax.jit
def solve_normal_equations(matrix: Matrix, target: Target) -> Solution:
    """Returns x = (A^T A)^-1 A^T b, by a Cholesky decomposition of A^T A.

    The condition number of A^T A is the square of A's, so half of the digits are lost.

    Args:
        matrix: the matrix A, of full column rank.
        target: the vector b.

    Returns:
        The solution; NaN where A^T A is not positive definite in the precision of the numbers.
    """
    factor = jax.scipy.linalg.cho_factor(matrix.T @ matrix)
    return jax.scipy.linalg.cho_solve(factor, matrix.T @ target)


@jax.jit
def solve_qr(matrix: Matrix, target: Target) -> Solution:
    """Returns the solution of R x = Q^T b, with A = Q R.

    Args:
        matrix: the matrix A, of full column rank and with at least as many rows as columns.
        target: the vector b.

    Returns:
        The solution; not finite where R has a 0 on its diagonal.
    """
    q, r = jnp.linalg.qr(matrix)
    return jax.scipy.linalg.solve_triangular(r, q.T @ target)


def pseudo_inverse(matrix: Matrix, tolerance: float | None = None) -> Float[Array, "column row"]:
    """Returns the Moore-Penrose inverse V S^-1 U^T; the inverse of a singular value of 0 is 0.

    Args:
        matrix: the matrix A, of any shape and rank.
        tolerance: singular values up to tolerance times the largest count as 0; see `svd`.

    Returns:
        The pseudo-inverse. Penrose, 1955.
    """
    u, values, vt, kept = svd(matrix, tolerance)
    inverses = jnp.where(kept, 1.0 / jnp.where(kept, values, 1.0), 0.0)
    return vt.T @ (inverses[:, None] * u.T)


def printed_inverse(matrix: Matrix) -> Float[Array, "column row"]:
    """Returns V S U^T, which the lecture prints as the pseudo-inverse; it lacks the inverse of S.

    Args:
        matrix: the matrix A.

    Returns:
        The transpose of A, which is its pseudo-inverse only if all singular values are 0 or 1.
    """
    u, values, vt, _ = svd(matrix)
    return vt.T @ (values[:, None] * u.T)


def solve_svd(matrix: Matrix, target: Target, tolerance: float | None = None) -> Solution:
    """Returns the shortest of all solutions, V S^-1 U^T b.

    It lies in the row space of A: to add a vector of the null space makes it longer.

    Args:
        matrix: the matrix A, of any shape and rank.
        target: the vector b.
        tolerance: singular values up to tolerance times the largest count as 0; see `svd`.

    Returns:
        The solution of minimum norm.
    """
    u, values, vt, kept = svd(matrix, tolerance)
    inverses = jnp.where(kept, 1.0 / jnp.where(kept, values, 1.0), 0.0)
    return vt.T @ (inverses * (u.T @ target))


def solve_ridge(matrix: Matrix, target: Target, strength: float) -> Solution:
    """Returns the minimum of |A x - b|^2 + strength |x|^2, by the singular values.

    x = V diag(s / (s^2 + strength)) U^T b = (A^T A + strength I)^-1 A^T b

    Args:
        matrix: the matrix A, of any shape and rank.
        target: the vector b.
        strength: the weight of the penalty, above 0.

    Returns:
        The solution. Hoerl and Kennard, 1970.

    Raises:
        ValueError: the strength is not above 0.
    """
    if not strength > 0.0:
        raise ValueError(f"strength is {strength}; it must be above 0")
    u, values, vt, _ = svd(matrix)
    return vt.T @ (values / (values**2 + strength) * (u.T @ target))


def largest_step(matrix: Matrix) -> Float[Array, ""]:
    """Returns the step size below which gradient descent on |A x - b|^2 converges.

    One step multiplies the error along a right singular vector by 1 - 2 step s^2, so |step| must be
    below 1 / s_1^2.

    Args:
        matrix: the matrix A.

    Returns:
        1 / s_1^2, with the largest singular value s_1.
    """
    return 1.0 / jnp.linalg.norm(matrix, 2) ** 2


@functools.partial(jax.jit, static_argnames="num_steps")
def descend_gradient(
    matrix: Matrix, target: Target, step_size: Float[Array, ""] | float, num_steps: int
) -> Float[Array, "step column"]:
    """Computes gradient descent on |A x - b|^2 from x = 0.

    x <- x - step_size (2 A^T A x - 2 A^T b)

    From 0 it stays in the row space, so it approaches the solution of minimum norm.

    Args:
        matrix: the matrix A.
        target: the vector b.
        step_size: the step size; see `largest_step`.
        num_steps: the number of steps.

    Returns:
        x after each step.
    """

    def step(solution, _):
        solution = solution - step_size * gradient(matrix, solution, target)
        return solution, solution

    return jax.lax.scan(step, jnp.zeros_like(matrix[0]), length=num_steps)[1]
