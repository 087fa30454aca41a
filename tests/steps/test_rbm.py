import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lecture_models.models.rbm import (
    LINEAR,
    LOGISTIC,
    RBM,
    free_energy,
    hidden_mean,
    init_rbm,
    reconstruct,
)
from lecture_models.steps.descent import init_train_state
from lecture_models.steps.rbm import contrastive_divergence_step, rbm_optimizer

NUM_VISIBLE = 6
PATTERNS = jnp.array([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], [1, 0, 1, 0, 1, 0]], jnp.float32)
EVERY_STATE = jnp.array(list(itertools.product([0.0, 1.0], repeat=NUM_VISIBLE)))
energy_of = functools.partial(free_energy, LOGISTIC)


def log_likelihood(rbm, visible):
    """Computes the exact likelihood; the partition function sums over every visible state."""
    log_partition = jax.nn.logsumexp(-energy_of(rbm, EVERY_STATE))
    return (-energy_of(rbm, visible) - log_partition).mean()


def cd_step(optimizer, units=LOGISTIC, num_steps=1):
    return jax.jit(
        functools.partial(
            contrastive_divergence_step,
            functools.partial(free_energy, units),
            functools.partial(reconstruct, units, num_steps),
            optimizer,
        )
    )


def start(optimizer, num_hidden=8):
    return init_train_state(optimizer, init_rbm(jax.random.key(0), NUM_VISIBLE, num_hidden))


@pytest.mark.slow
@pytest.mark.parametrize("num_steps", [1, 3])
def test_contrastive_divergence_raises_the_exact_likelihood(num_steps):
    optimizer = rbm_optimizer(0.1, 50, RBM(True, False, False))
    state, step = start(optimizer), cd_step(optimizer, num_steps=num_steps)
    before = float(log_likelihood(state.params, PATTERNS))
    for index in range(500):
        state, _ = step(state, PATTERNS, jax.random.fold_in(jax.random.key(1), index))
    after = float(log_likelihood(state.params, PATTERNS))
    assert after > before + 0.5
    assert after < -np.log(3) + 1e-3  # No model of three equally frequent patterns does better.


@pytest.mark.slow
def test_it_goes_uphill_with_the_exact_gradient():
    optimizer = optax.sgd(1.0)
    state, step = start(optimizer), cd_step(optimizer)
    exact = jax.grad(log_likelihood)(state.params, PATTERNS)
    many = jnp.tile(PATTERNS, (2_000, 1))
    after, _ = step(state, many, jax.random.key(1))
    moved = jax.tree.map(jnp.subtract, after.params, state.params)
    cosine = optax.tree.vdot(moved, exact) / optax.tree.norm(moved) / optax.tree.norm(exact)
    assert 0.5 < float(cosine) <= 1.0


@pytest.mark.slow
@pytest.mark.parametrize("units", [LOGISTIC, LINEAR])
def test_the_step_is_the_difference_of_two_correlations(units):
    optimizer = optax.sgd(1.0)
    state = start(optimizer)
    key = jax.random.key(4)
    after, metrics = cd_step(optimizer, units)(state, PATTERNS, key)
    rbm = state.params
    fantasies = reconstruct(units, 1, rbm, PATTERNS, jax.random.clone(key))

    def correlation(visible):
        return visible.T @ hidden_mean(units, rbm, visible) / len(PATTERNS)

    expected = correlation(PATTERNS) - correlation(fantasies)
    np.testing.assert_allclose(after.params.weights - rbm.weights, expected, atol=1e-6)
    np.testing.assert_allclose(
        after.params.visible_bias - rbm.visible_bias, (PATTERNS - fantasies).mean(0), atol=1e-6
    )
    assert float(metrics["squared_error"]) == pytest.approx(
        float(((PATTERNS - fantasies) ** 2).sum(1).mean()), rel=1e-5
    )


def test_momentum_rises_once_and_only_weights_decay():
    optimizer = rbm_optimizer(0.1, 3, RBM(True, False, False))
    params = RBM(jnp.ones((2, 2)), jnp.ones(2), jnp.ones(2))
    state = optimizer.init(params)
    gradient, moved = jax.tree.map(jnp.zeros_like, params), []
    push = jax.tree.map(jnp.ones_like, params)
    for index in range(5):
        updates, state = optimizer.update(push if index == 0 else gradient, state, params)
        moved.append((float(updates.visible_bias[0]), float(updates.weights[0, 0])))
    biases = [bias for bias, _ in moved]
    assert biases == pytest.approx([-0.1, -0.05, -0.025, -0.0225, -0.02025], rel=1e-5)
    assert moved[0][1] == pytest.approx(-0.1 * (1.0 + 2e-4), rel=1e-5)
