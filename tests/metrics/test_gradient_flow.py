"""Tests derivatives through time against products of matrices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.metrics.gradient_flow import slopes_by_step, spectral_norms, state_jacobians
from lecture_models.nn.recurrent_cells import lstm, rnn, zero_carry

STEPS, FEATURES = 6, 3
KERNEL = 0.5 * jax.random.normal(jax.random.key(0), (FEATURES, FEATURES))
GATES = jax.random.normal(jax.random.key(1), (STEPS, 1, FEATURES))


def test_a_linear_cells_derivative_is_the_power_of_its_kernel():
    cell = rnn(lambda x: x)
    jacobians = state_jacobians(
        cell, {"recurrent_kernel": KERNEL}, zero_carry(cell, 1, FEATURES), GATES
    )
    for step, jacobian in enumerate(jacobians, 1):
        expected = np.linalg.matrix_power(np.asarray(KERNEL).T, step)
        np.testing.assert_allclose(jacobian, expected, atol=1e-5)
    norms = spectral_norms(jacobians)
    assert float(norms[0]) == pytest.approx(np.linalg.norm(KERNEL, 2), rel=1e-5)


def test_a_tanh_cell_stays_below_the_power_of_its_largest_singular_value():
    cell, sigma = rnn(), float(np.linalg.norm(KERNEL, 2))
    jacobians = state_jacobians(
        cell, {"recurrent_kernel": KERNEL}, zero_carry(cell, 1, FEATURES), GATES
    )
    norms = np.asarray(spectral_norms(jacobians))
    assert (norms < sigma ** np.arange(1, STEPS + 1)).all()


def test_the_slopes_are_the_readout_times_the_derivatives():
    cell, weights = rnn(), {"recurrent_kernel": KERNEL}
    readout = jnp.array([1.0, -2.0, 0.5])
    slopes = slopes_by_step(cell, weights, zero_carry(cell, 1, FEATURES), GATES, readout)
    hidden, states = np.zeros(FEATURES), []
    for gate in np.asarray(GATES)[:, 0]:
        hidden = np.tanh(gate + hidden @ np.asarray(KERNEL))
        states.append(hidden)
    slope, expected = np.asarray(readout), []
    for state in reversed(states):
        expected.append(np.linalg.norm(slope))
        slope = np.asarray(KERNEL) @ ((1.0 - state**2) * slope)
    np.testing.assert_allclose(slopes, expected[::-1], rtol=1e-5)


def test_an_lstm_without_feedback_passes_on_the_product_of_its_forget_gates():
    cell = lstm()
    weights = {"recurrent_kernel": jnp.zeros((2, 8))}
    gates = jax.random.normal(jax.random.key(2), (STEPS, 1, 8))
    jacobians = state_jacobians(cell, weights, zero_carry(cell, 1, 2), gates)
    forget = np.asarray(jax.nn.sigmoid(gates[:, 0, 2:4]))
    np.testing.assert_allclose(jacobians[-1], np.diag(forget.prod(axis=0)), rtol=1e-5, atol=1e-7)
