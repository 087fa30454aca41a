import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.linear import conditioning
from lecture_models.linear.least_squares import solve_normal_equations, solve_qr

NORMAL, QR = (jax.jit(jax.vmap(solve)) for solve in (solve_normal_equations, solve_qr))


def problems(condition, count=20):
    return conditioning.draw_problems(np.random.default_rng(0), count, (12, 4), condition)


def test_matrices_have_the_condition_number_and_the_solutions_fit():
    drawn = problems(1e3)
    np.testing.assert_allclose(np.linalg.cond(drawn.matrices), 1e3, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(drawn.solutions, axis=1), 1.0)
    found = np.linalg.lstsq(drawn.matrices[0], drawn.targets[0], rcond=None)[0]
    np.testing.assert_allclose(found, drawn.solutions[0], atol=1e-10)


def test_normal_equations_lose_twice_as_many_digits():
    mild, steep = (
        [
            conditioning.median_error(solve, problems(condition), jnp.float32)
            for solve in (NORMAL, QR)
        ]
        for condition in (10.0, 1e3)
    )
    assert mild[1] < 1e-5
    assert steep[1] < 1e-3
    assert steep[0] > 10.0 * steep[1]
    lost = conditioning.median_error(NORMAL, problems(1e6), jnp.float32)
    assert lost > 0.5  # No digit is left.


def test_gradient_descent_takes_as_many_steps_as_predicted():
    drawn = problems(5.0, 1)
    matrix, solution = drawn.matrices[0].astype(np.float32), drawn.solutions[0].astype(np.float32)
    course = conditioning.course_of_descent(matrix, solution, 0.5, 300)
    assert course.predicted == pytest.approx(np.log(1e-3) / np.log(1.0 - 1.0 / 25.0), rel=1e-3)
    assert 0.6 * course.predicted < course.needed <= course.predicted
    assert (np.diff(course.errors[:150]) < 1e-7).all()
    beyond = conditioning.course_of_descent(matrix, solution, 1.05, 300)
    assert beyond.needed == 0
    assert beyond.errors[-1] > 1e3
