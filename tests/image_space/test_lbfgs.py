import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from lecture_models.image_space.lbfgs import lbfgs


def minimize(function, start, evaluations, memory=10):
    """Values at the accepted points, and the accepted params."""
    optimizer, evaluate = lbfgs(memory), jax.jit(jax.value_and_grad(function))
    update = jax.jit(optimizer.update)
    params, state, values = start, optimizer.init(start), []
    for _ in range(evaluations):
        value, gradient = evaluate(params)
        params, state = update(gradient, state, params, value)
        values.append(float(state.value))
    return values, optimizer.accepted(params, state)


def rosenbrock(x):
    return jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def test_a_quadratic_of_few_dimensions_is_solved():
    scales = jnp.array([1.0, 10.0, 100.0])
    _, found = minimize(lambda x: 0.5 * jnp.vdot(scales, (x - 1.0) ** 2), jnp.zeros(3), 25)
    np.testing.assert_allclose(found, np.ones(3), atol=1e-3)


def test_rosenbrock_takes_about_as_many_evaluations_as_scipy():
    start = np.array([-1.2, 1.0, -0.5, 1.5])
    value, gradient = jax.jit(rosenbrock), jax.jit(jax.grad(rosenbrock))
    scipys = scipy.optimize.minimize(
        lambda x: np.asarray(value(jnp.asarray(x, jnp.float32)), np.float64),
        start,
        jac=lambda x: np.asarray(gradient(jnp.asarray(x, jnp.float32)), np.float64),
        method="L-BFGS-B",
        options={"maxcor": 10, "ftol": 1e-7},
    )
    values, _ = minimize(rosenbrock, jnp.asarray(start, jnp.float32), 2 * scipys.nfev)
    assert min(values) < 1e-3


def test_accepted_values_never_rise():
    values, _ = minimize(rosenbrock, jnp.array([-1.2, 1.0]), 60)
    assert all(after <= before for before, after in itertools.pairwise(values))
    assert values[-1] < 1e-2 * values[0]


def test_a_trial_that_is_not_finite_is_shortened():
    """log x has no value left of 0, where the first whole step lands."""
    values, found = minimize(lambda x: (x - jnp.log(x)).sum(), jnp.array([0.2]), 30)
    assert np.isfinite(values).all()
    np.testing.assert_allclose(found, [1.0], atol=1e-3)


@pytest.mark.slow
def test_the_settled_point_is_the_best_that_was_accepted():
    optimizer = lbfgs(3)
    start = jnp.array([1.0])
    params, state = optimizer.update(
        jnp.array([2.0]), optimizer.init(start), start, jnp.asarray(1.0)
    )
    worse = optimizer.update(jnp.array([0.0]), state, params, jnp.asarray(5.0))
    np.testing.assert_array_equal(optimizer.accepted(*worse), start)


def test_params_of_any_structure_come_back_as_they_were():
    start = {"a": jnp.ones((2, 3)), "b": jnp.zeros(4)}
    _, found = minimize(lambda p: jnp.sum(p["a"] ** 2) + jnp.sum((p["b"] - 2.0) ** 2), start, 15)
    assert jax.tree.map(jnp.shape, found) == {"a": (2, 3), "b": (4,)}
    np.testing.assert_allclose(found["b"], np.full(4, 2.0), atol=1e-3)


def test_at_a_minimum_nothing_moves():
    values, found = minimize(lambda x: jnp.sum(x**2), jnp.zeros(3), 5)
    assert values[-1] == 0.0
    np.testing.assert_array_equal(found, np.zeros(3))
