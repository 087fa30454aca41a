"""Tests the recurrent layers over images against plain loops over pixels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit

from lecture_models.nn.pixel_lstm import DiagonalBiLSTM, RowLSTM, lstm_update, skew, unskew

FEATURES = 2
MAPS = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)


def random_params(module):
    shapes = jax.eval_shape(module.init, jax.random.key(0), jnp.asarray(MAPS))["params"]
    generator = np.random.default_rng(1)
    return jax.tree.map(lambda leaf: generator.normal(size=leaf.shape).astype(np.float32), shapes)


def step(gates, memory):
    admit, forget, candidate, release = np.split(gates, 4, axis=-1)
    memory = expit(forget) * memory + expit(admit) * np.tanh(candidate)
    return expit(release) * np.tanh(memory), memory


def test_one_step_of_open_gates_stores_the_candidate():
    gates = jnp.asarray([[100.0, -100.0, 0.5, 100.0]])
    hidden, memory = lstm_update(gates, jnp.asarray([[7.0]]))
    assert float(memory[0, 0]) == pytest.approx(np.tanh(0.5))
    assert float(hidden[0, 0]) == pytest.approx(np.tanh(np.tanh(0.5)))


def test_unskew_is_the_inverse_of_skew_and_diagonals_are_columns():
    skewed = np.asarray(skew(jnp.asarray(MAPS)))
    assert skewed.shape == (2, 3, 6, 5)
    np.testing.assert_array_equal(unskew(jnp.asarray(skewed)), MAPS)
    for row in range(3):
        for column in range(4):
            np.testing.assert_array_equal(skewed[:, row, row + column], MAPS[:, row, column])
    assert np.count_nonzero(skewed) == MAPS.size


def test_the_row_lstm_is_a_loop_over_pixels():
    module = RowLSTM(FEATURES)
    params = random_params(module)
    batch, height, width, _ = MAPS.shape
    hidden = np.zeros((height + 1, batch, width + 2, FEATURES))
    memory = np.zeros((height + 1, batch, width + 2, FEATURES))
    for row in range(height):
        for column in range(width):
            gates = params["own"]["bias"] + MAPS[:, row, column] @ params["own"]["kernel"]
            if column > 0:
                gates = gates + MAPS[:, row, column - 1] @ params["left"]["kernel"]
            above = [hidden[row, :, column + shift] for shift in range(3)]
            gates = gates + np.concatenate(above, axis=-1) @ params["state_to_state"]
            place = row + 1, slice(None), column + 1
            hidden[place], memory[place] = step(gates, memory[row, :, column + 1])
    found = jax.jit(module.apply)({"params": params}, jnp.asarray(MAPS))
    expected = np.moveaxis(hidden[1:, :, 1:-1], 0, 1)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def run_from_left(maps, dense, kernel):
    batch, height, width, _ = maps.shape
    hidden = np.zeros((batch, height + 1, width + 1, FEATURES))
    memory = np.zeros((batch, height + 1, width + 1, FEATURES))
    for row in range(height):
        for column in range(width):
            seen = np.concatenate([hidden[:, row, column + 1], hidden[:, row + 1, column]], axis=-1)
            gates = maps[:, row, column] @ dense["kernel"] + dense["bias"] + seen @ kernel
            after = step(gates, memory[:, row + 1, column])
            hidden[:, row + 1, column + 1], memory[:, row + 1, column + 1] = after
    return hidden[:, 1:, 1:]


def test_the_diagonal_lstm_is_two_loops_over_pixels():
    module = DiagonalBiLSTM(FEATURES)
    params = random_params(module)
    weights = [(params[f"input_to_state_{i}"], params[f"state_to_state_{i}"]) for i in range(2)]
    from_left = run_from_left(MAPS, *weights[0])
    from_right = run_from_left(MAPS[:, :, ::-1], *weights[1])[:, :, ::-1]
    expected = from_left.copy()
    expected[:, 1:] += from_right[:, :-1]
    found = jax.jit(module.apply)({"params": params}, jnp.asarray(MAPS))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
