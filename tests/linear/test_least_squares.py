import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from sklearn.linear_model import Ridge

from lecture_models.linear import least_squares as ls


def problem(rows=30, columns=4, seed=0):
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, columns)).astype(np.float32)
    return jnp.asarray(matrix), jnp.asarray(random.normal(size=rows).astype(np.float32))


MATRIX, TARGET = problem()
# The last column is the sum of the others: rank 3.
DEFICIENT = MATRIX.at[:, 3].set(MATRIX[:, :3].sum(axis=1))


@pytest.mark.parametrize("solve", [ls.solve_normal_equations, ls.solve_qr, ls.solve_svd])
def test_every_way_gives_scipys_solution_at_full_rank(solve):
    expected = scipy.linalg.lstsq(MATRIX, TARGET)[0]
    np.testing.assert_allclose(solve(MATRIX, TARGET), expected, atol=1e-5)


def test_the_written_gradient_is_that_of_jax_and_zero_at_the_solution():
    point = jnp.arange(4.0)
    derived = jax.grad(ls.squared_error, argnums=1)(MATRIX, point, TARGET)
    np.testing.assert_allclose(ls.gradient(MATRIX, point, TARGET), derived, rtol=1e-5, atol=1e-4)
    solution = ls.solve_svd(MATRIX, TARGET)
    np.testing.assert_allclose(ls.gradient(MATRIX, solution, TARGET), 0.0, atol=1e-4)


@pytest.mark.parametrize("matrix", [DEFICIENT, MATRIX.T], ids=["deficient", "wide"])
def test_without_full_rank_the_solution_is_the_shortest(matrix):
    target = TARGET[: len(matrix)]
    solution = ls.solve_svd(matrix, target)
    np.testing.assert_allclose(
        solution, np.linalg.lstsq(np.asarray(matrix), np.asarray(target), rcond=1e-5)[0], atol=1e-4
    )
    null = scipy.linalg.null_space(np.asarray(matrix), rcond=1e-5)[:, 0].astype(np.float32)
    other = solution + null
    np.testing.assert_allclose(matrix @ other, matrix @ solution, atol=1e-4)
    assert float(other @ other) == pytest.approx(float(solution @ solution) + 1.0, rel=1e-4)


def test_normal_equations_of_a_deficient_matrix_fail_visibly():
    singular = jnp.array([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
    assert not bool(jnp.isfinite(ls.solve_normal_equations(singular, jnp.ones(3))).all())
    np.testing.assert_allclose(ls.solve_svd(singular, jnp.ones(3)), [0.5, 0.5], rtol=1e-6)


def test_a_matrix_of_zeros_has_the_solution_zero():
    np.testing.assert_array_equal(ls.solve_svd(jnp.zeros((3, 2)), jnp.ones(3)), [0.0, 0.0])
    np.testing.assert_array_equal(ls.pseudo_inverse(jnp.zeros((3, 2))), np.zeros((2, 3)))


@pytest.mark.parametrize("matrix", [MATRIX, DEFICIENT, MATRIX.T], ids=["full", "deficient", "wide"])
def test_the_pseudo_inverse_is_numpys(matrix):
    expected = np.linalg.pinv(np.asarray(matrix), rcond=1e-5)
    np.testing.assert_allclose(ls.pseudo_inverse(matrix), expected, atol=1e-5)


def test_the_printed_inverse_is_only_the_transpose():
    np.testing.assert_allclose(ls.printed_inverse(MATRIX), MATRIX.T, atol=1e-5)
    orthonormal = jnp.asarray(np.linalg.qr(np.asarray(MATRIX)).Q)
    np.testing.assert_allclose(
        ls.printed_inverse(orthonormal), ls.pseudo_inverse(orthonormal), atol=1e-5
    )


def test_ridge_is_that_of_scikit_learn_and_between_zero_and_least_squares():
    reference = Ridge(alpha=2.0, fit_intercept=False).fit(MATRIX, TARGET)
    np.testing.assert_allclose(ls.solve_ridge(MATRIX, TARGET, 2.0), reference.coef_, atol=1e-5)
    least, weak, strong = (
        ls.solve_svd(MATRIX, TARGET),
        *(ls.solve_ridge(MATRIX, TARGET, strength) for strength in (1e-6, 1e6)),
    )
    np.testing.assert_allclose(weak, least, atol=1e-5)
    np.testing.assert_allclose(strong, 0.0, atol=1e-4)
    with pytest.raises(ValueError, match="strength is 0.0; it must be above 0"):
        ls.solve_ridge(MATRIX, TARGET, 0.0)


def test_qr_keeps_digits_that_the_normal_equations_lose():
    places = np.linspace(0.0, 1.0, 20)
    matrix = jnp.asarray(np.vander(places, 5, increasing=True), jnp.float32)
    truth = jnp.ones(5)
    errors = {
        solve.__name__: float(jnp.abs(solve(matrix, matrix @ truth) - truth).max())
        for solve in (ls.solve_normal_equations, ls.solve_qr)
    }
    assert errors["solve_qr"] < 1e-3
    assert errors["solve_normal_equations"] > 3.0 * errors["solve_qr"]


def test_gradient_descent_converges_below_the_largest_step_alone():
    expected = ls.solve_svd(MATRIX, TARGET)
    limit = ls.largest_step(MATRIX)
    below = ls.descend_gradient(MATRIX, TARGET, 0.9 * limit, 200)
    above = ls.descend_gradient(MATRIX, TARGET, 1.1 * limit, 200)
    np.testing.assert_allclose(below[-1], expected, atol=1e-4)
    assert float(jnp.abs(above[-1] - expected).max()) > 1e3


def test_gradient_descent_from_zero_finds_the_shortest_solution():
    step = 0.5 * ls.largest_step(DEFICIENT)
    last = ls.descend_gradient(DEFICIENT, TARGET, step, 200)[-1]
    np.testing.assert_allclose(last, ls.solve_svd(DEFICIENT, TARGET), atol=1e-4)
