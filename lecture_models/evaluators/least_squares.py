"""Measures how well least squares problems are solved, and what the lecture states about them."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Array, Float64

from lecture_models.experiment import DataTable
from lecture_models.linear import least_squares as ls
from lecture_models.linear.conditioning import Solver
from lecture_models.linear.projection import penrose_residuals, projection_residuals, projector

PRECISIONS = (("float32", jnp.float32), ("float64", jnp.float64))


ORDER = 12  # Of the Hilbert matrix; it and its half are the degrees of the Vandermonde matrices.


class Problem(NamedTuple):
    """Holds a least squares problem A x = b.

    Attributes:
        matrix: the matrix A.
        target: the vector b.
        names: the names of the columns.
        described: one phrase about the data.
    """

    matrix: Float64[np.ndarray, "row column"]
    target: Float64[np.ndarray, " row"]
    names: tuple[str, ...]
    described: str


def solvers(share: float, has_enough_rows: bool) -> dict[str, Solver]:
    """Returns the ways of solving a least squares problem by name.

    Args:
        share: the penalty of ridge, as a share of the squared largest singular value.
        has_enough_rows: True for at least as many rows as columns, which QR needs.

    Returns:
        The ways, each a function of matrix and target.
    """

    def ridge(matrix, target):
        penalty = share * jnp.linalg.norm(matrix, 2) ** 2
        u, values, vt, _ = ls.svd(matrix)
        return vt.T @ (values / (values**2 + penalty) * (u.T @ target))

    def printed(matrix, target):
        return ls.printed_inverse(matrix) @ target

    qr = {"QR": ls.solve_qr} if has_enough_rows else {}
    return {
        "normal equations": ls.solve_normal_equations,
        **qr,
        "SVD": ls.solve_svd,
        f"ridge {share:.0e}": ridge,
        "the printed V S U^T": printed,
    }


def table_of_methods(problem: Problem, ways: dict[str, Solver], caption: str) -> DataTable:
    """Returns how well each way solves a problem, in single and in double precision.

    It needs `jax.enable_x64`.

    Args:
        problem: the problem.
        ways: the ways by name.
        caption: the table's caption.

    Returns:
        The table: lengths of residual and solution, by how much the residual is not orthogonal to
        the columns, and the distance to NumPy's solution.
    """
    exact = np.linalg.lstsq(problem.matrix, problem.target, rcond=None)[0]
    rows = []
    for name, solve in ways.items():
        for precision, dtype in PRECISIONS:
            matrix, target = jnp.asarray(problem.matrix, dtype), jnp.asarray(problem.target, dtype)
            found = np.asarray(solve(matrix, target), np.float64)
            residual = problem.matrix @ found - problem.target
            rows.append(
                (
                    name,
                    precision,
                    float(np.linalg.norm(residual)),
                    float(np.linalg.norm(found)),
                    float(np.abs(problem.matrix.T @ residual).max()),
                    float(np.abs(found - exact).max()),
                )
            )
    columns = ("method", "numbers", "|Ax - b|", "|x|", "max |A^T (Ax - b)|", "max |x - NumPy's x|")
    return DataTable(columns, tuple(rows), caption)


def deficient(problem: Problem) -> Problem:
    """Returns the problem with one more column, the sum of the others.

    Args:
        problem: the problem.

    Returns:
        The problem without full column rank.
    """
    more = np.concatenate([problem.matrix, problem.matrix.sum(axis=1, keepdims=True)], axis=1)
    described = f"{problem.described}, and the sum of the columns as another column"
    return Problem(more, problem.target, (*problem.names, "sum"), described)


def statements(problem: Problem, dtype: jax.typing.DTypeLike) -> dict[str, float]:
    """Returns by how much each statement of the lecture is violated.

    Args:
        problem: a problem without full column rank.
        dtype: the type of the numbers.

    Returns:
        The largest deviation by statement, without a unit.
    """
    # Divided by the largest singular value, so that the deviations have no unit.
    scale = np.linalg.norm(problem.matrix, 2)
    matrix, target = jnp.asarray(problem.matrix / scale, dtype), jnp.asarray(problem.target, dtype)
    target = target / jnp.linalg.norm(target)
    point = jnp.ones(matrix.shape[1], dtype)
    derived = jax.grad(ls.squared_error, argnums=1)(matrix, point, target)
    shortest = ls.solve_svd(matrix, target)
    vt = jnp.linalg.svd(matrix)[2]
    null = vt[-1]  # A unit vector that A maps to 0, because the last column is the sum.
    longer = shortest + jnp.linalg.norm(shortest) * null
    inverse = penrose_residuals(matrix, ls.pseudo_inverse(matrix))
    printed = penrose_residuals(matrix, ls.printed_inverse(matrix))
    found: dict[str, Array] = {
        "grad |Ax - b|^2 = 2 A^T A x - 2 A^T b": jnp.abs(
            ls.gradient(matrix, point, target) - derived
        ).max(),
        **projection_residuals(
            matrix, projector(matrix), target, jnp.arange(1.0, len(matrix) + 1.0, dtype=dtype)
        ),
        "A A^+ = U U^T": jnp.abs(matrix @ ls.pseudo_inverse(matrix) - projector(matrix)).max(),
        **{f"V S^-1 U^T: {name}": value for name, value in inverse.items()},
        **{f"the printed V S U^T: {name}": value for name, value in printed.items()},
        "shortest x: |x + n|^2 / |x|^2 = 2 for a vector n of the null space as long as x": jnp.abs(
            longer @ longer / (shortest @ shortest) - 2.0
        ),
        "A (x + n) = A x": jnp.abs(matrix @ longer - matrix @ shortest).max(),
    }
    return {name: float(value) for name, value in found.items()}


def table_of_statements(problem: Problem) -> tuple[DataTable, dict[str, float]]:
    """Returns the deviations from all statements in both precisions; needs `jax.enable_x64`.

    Args:
        problem: a problem without full column rank.

    Returns:
        The table, and its largest values by name: of the statements that hold, and of the
        lecture's misprint, which does not.
    """
    single, double = (statements(problem, dtype) for _, dtype in PRECISIONS)
    rows = tuple((name, single[name], double[name]) for name in single)
    caption = (
        "largest deviation from each statement, on a matrix without full column rank, divided by "
        "its largest singular value; V S U^T is the lecture's misprint"
    )
    wrong = [name for name in double if name.startswith("the printed")]
    return DataTable(("statement", "float32", "float64"), rows, caption), {
        "largest_deviation_float32": max(v for name, v in single.items() if name not in wrong),
        "largest_deviation_float64": max(v for name, v in double.items() if name not in wrong),
        "printed_inverse_deviation": max(double[name] for name in wrong),
    }


def table_of_ill_conditioned(ways: dict[str, Solver]) -> tuple[DataTable, dict[str, float]]:
    """Returns the errors of each way on two matrices that are known for their condition numbers.

    They are the Hilbert matrix, 1 / (i + j - 1), and the powers of places in [0, 1] (Vandermonde);
    the solution is the vector of ones. It needs `jax.enable_x64`.

    Args:
        ways: the ways by name; QR and SVD must be among them.

    Returns:
        The table of relative errors, and those of QR and SVD in float64 for the Hilbert matrix.
    """
    places = np.linspace(0.0, 1.0, 2 * ORDER)
    matrices = {f"Hilbert, {ORDER}x{ORDER}": scipy.linalg.hilbert(ORDER)} | {
        f"powers 0 to {degree} of {len(places)} places": np.vander(
            places, degree + 1, increasing=True
        )
        for degree in (ORDER // 2, ORDER)
    }
    found = {
        (place, name): [_error_for_ones(solve, matrix, dtype) for _, dtype in PRECISIONS]
        for place, matrix in enumerate(matrices.values())
        for name, solve in ways.items()
    }
    rows = tuple(
        (matrix, condition, name, *(error or "no result" for error in found[place, name]))
        for place, (matrix, values) in enumerate(matrices.items())
        for condition in [float(np.linalg.cond(values))]
        for name in ways
    )
    caption = (
        "relative errors of x; the cut-off of small singular values (SVD) and the penalty of ridge "
        "keep them bounded where the condition number leaves no digits"
    )
    columns = ("matrix", "condition", "method", "error, float32", "error, float64")
    return DataTable(columns, rows, caption), {
        f"hilbert_{name.lower()}_error": found[0, name][1] for name in ("QR", "SVD")
    }


def _error_for_ones(solve: Solver, matrix: np.ndarray, dtype: jax.typing.DTypeLike) -> float | None:
    """Returns the relative error of the solution, which is all ones; None for no result."""
    ones = np.ones(matrix.shape[1])
    found = solve(jnp.asarray(matrix, dtype), jnp.asarray(matrix @ ones, dtype))
    error = float(np.linalg.norm(np.asarray(found, np.float64) - ones) / np.linalg.norm(ones))
    return error if np.isfinite(error) else None
