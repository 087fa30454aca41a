import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.linear import least_squares as ls
from lecture_models.linear import projection
from tests.linear.test_least_squares import DEFICIENT, MATRIX, TARGET

both = pytest.mark.parametrize("matrix", [MATRIX, DEFICIENT], ids=["full", "deficient"])


@both
def test_the_statements_of_the_lecture_hold(matrix):
    found = projection.projection_residuals(
        matrix, projection.projector(matrix), TARGET, jnp.ones_like(TARGET)
    )
    assert len(found) == 6
    assert all(float(residual) < 2e-5 for residual in found.values())


def test_another_projection_is_caught():
    oblique = projection.projector(MATRIX).at[0, 1].add(0.1)
    found = projection.projection_residuals(MATRIX, oblique, TARGET, jnp.ones_like(TARGET))
    assert found["P = P^T"] == pytest.approx(0.1, abs=1e-5)
    assert found["PA = A"] > 1e-3


def test_the_trace_is_the_rank():
    ranks = [float(jnp.trace(projection.projector(matrix))) for matrix in (MATRIX, DEFICIENT)]
    np.testing.assert_allclose(ranks, [4.0, 3.0], atol=1e-5)


def test_the_projection_is_the_fitted_value():
    np.testing.assert_allclose(
        projection.projector(MATRIX) @ TARGET, MATRIX @ ls.solve_qr(MATRIX, TARGET), atol=1e-5
    )


@both
def test_only_the_pseudo_inverse_satisfies_the_four_conditions(matrix):
    right = projection.penrose_residuals(matrix, ls.pseudo_inverse(matrix))
    assert all(float(residual) < 2e-5 for residual in right.values())
    printed = projection.penrose_residuals(matrix, ls.printed_inverse(matrix))
    assert printed["A A' A = A"] > 10.0
    assert printed["(A A')^T = A A'"] < 1e-4


def test_the_error_of_the_nearest_matrix_of_low_rank_is_what_is_dropped():
    values = np.linalg.svd(np.asarray(MATRIX), compute_uv=False)
    for rank in (1, 2, 4):
        error = float(jnp.sum((projection.low_rank(MATRIX, rank) - MATRIX) ** 2))
        assert error == pytest.approx(float((values[rank:] ** 2).sum()), rel=1e-4, abs=1e-8)
