"""Measures how many digits a way of solving least squares loses, by the condition number."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64

from lecture_models.linear.least_squares import (
    Matrix,
    Solution,
    Target,
    descend_gradient,
    largest_step,
)

Solver = Callable[[Matrix, Target], Solution]  # Also for many problems at once.


class Problems(NamedTuple):
    """Holds least squares problems A x = b with known solutions.

    Attributes:
        matrices: the matrices A, (problem, row, column).
        solutions: the solutions x, of length 1, (problem, column).
        targets: b = A x, in float64, (problem, row).
    """

    matrices: Float64[np.ndarray, "problem row column"]
    solutions: Float64[np.ndarray, "problem column"]
    targets: Float64[np.ndarray, "problem row"]


def draw_problems(
    random: np.random.Generator, count: int, shape: tuple[int, int], condition: float
) -> Problems:
    """Draws matrices of a given condition number, with random singular vectors.

    The largest singular value is 1; the logarithms of all are spaced evenly.

    Args:
        random: a generator of random numbers.
        count: the number of problems.
        shape: the numbers of rows and columns; at least as many rows.
        condition: the largest singular value divided by the smallest, at least 1.

    Returns:
        The problems.
    """
    rows, columns = shape
    left = np.linalg.qr(random.normal(size=(count, rows, columns))).Q
    right = np.linalg.qr(random.normal(size=(count, columns, columns))).Q
    matrices = left * np.geomspace(1.0, 1.0 / condition, columns) @ right.transpose(0, 2, 1)
    solutions = random.normal(size=(count, columns))
    solutions /= np.linalg.norm(solutions, axis=1, keepdims=True)
    return Problems(matrices, solutions, np.einsum("prc,pc->pr", matrices, solutions))


def median_error(solve_all: Solver, problems: Problems, dtype: jax.typing.DTypeLike) -> float:
    """Returns the median relative error of solutions.

    Args:
        solve_all: solves many problems at once: `jax.jit(jax.vmap(solve))`.
        problems: the problems.
        dtype: the type of the numbers in which they are solved.

    Returns:
        The median of |x - solution| / |solution|; infinity where more than half are not finite.
    """
    found = solve_all(jnp.asarray(problems.matrices, dtype), jnp.asarray(problems.targets, dtype))
    errors = np.linalg.norm(np.asarray(found, np.float64) - problems.solutions, axis=1)
    errors /= np.linalg.norm(problems.solutions, axis=1)
    return float(np.median(np.where(np.isfinite(errors), errors, np.inf)))


class Descent(NamedTuple):
    """Holds the course of gradient descent on one problem.

    Attributes:
        errors: |x - solution| / |solution| after each step.
        needed: the first step with an error of at most 1e-3; 0 for none.
        predicted: the number of steps that the slowest direction needs for it.
    """

    errors: Float[np.ndarray, " step"]
    needed: int
    predicted: float


def course_of_descent(
    matrix: Float[Array | np.ndarray, "row column"],
    solution: Float[Array | np.ndarray, " column"],
    step_share: float,
    num_steps: int,
) -> Descent:
    """Measures the error of gradient descent on |A x - A solution|^2 after each step.

    The error along the right singular vector of s is multiplied by 1 - 2 step s^2 at each step, so
    with the condition number c the number of steps is in proportion to c^2.

    Args:
        matrix: the matrix A.
        solution: the solution.
        step_share: the step size as a share of `largest_step`.
        num_steps: the number of steps.

    Returns:
        The course; the prediction starts from an error of 1 in the slowest direction.
    """
    matrix, solution = jnp.asarray(matrix), jnp.asarray(solution)
    limit = largest_step(matrix)
    path = descend_gradient(matrix, matrix @ solution, step_share * limit, num_steps)
    distances = np.asarray(jnp.linalg.norm(path - solution[None], axis=1), np.float64)
    errors = distances / float(jnp.linalg.norm(solution))
    reached = np.flatnonzero(errors <= 1e-3)
    smallest = float(jnp.linalg.svd(matrix, compute_uv=False)[-1])
    factor = abs(1.0 - 2.0 * step_share * float(limit) * smallest**2)
    predicted = np.log(1e-3) / np.log(factor) if 0.0 < factor < 1.0 else np.inf
    return Descent(errors, int(reached[0]) + 1 if len(reached) else 0, float(predicted))
