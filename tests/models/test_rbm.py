import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.models.autoencoder import DenseDecoder, DenseEncoder
from lecture_models.models.rbm import (
    LINEAR,
    LOGISTIC,
    RBM,
    energy,
    free_energy,
    hidden_inputs,
    hidden_mean,
    init_rbm,
    propagate_up,
    reconstruct,
    sample_hidden,
    sample_visible,
    unroll,
    visible_mean,
)

NUM_VISIBLE, NUM_HIDDEN = 4, 3


def states(count):
    """Returns all binary vectors of a length."""
    return jnp.array(list(itertools.product([0.0, 1.0], repeat=count)))


@pytest.fixture(scope="module")
def rbm():
    keys = jax.random.split(jax.random.key(0), 3)
    return RBM(
        jax.random.normal(keys[0], (NUM_VISIBLE, NUM_HIDDEN)),
        jax.random.normal(keys[1], (NUM_VISIBLE,)),
        jax.random.normal(keys[2], (NUM_HIDDEN,)),
    )


@pytest.fixture(scope="module")
def joint(rbm):
    """Returns the normalized exp(-E) of every visible (rows) and hidden (columns) state."""
    visible, hidden = states(NUM_VISIBLE), states(NUM_HIDDEN)
    rows = [energy(LOGISTIC, rbm, jnp.tile(each, (len(hidden), 1)), hidden) for each in visible]
    weights = np.exp(-np.array(rows, np.float64))
    return weights / weights.sum()


def test_the_energy_of_one_pair_is_the_papers(rbm):
    visible, hidden = np.array([1.0, 0.0, 1.0, 1.0]), np.array([0.0, 1.0, 1.0])
    weights, a, b = (np.asarray(each) for each in rbm)
    expected = -a @ visible - b @ hidden - visible @ weights @ hidden
    found = energy(LOGISTIC, rbm, jnp.float32(visible)[None], jnp.float32(hidden)[None])
    assert float(found[0]) == pytest.approx(expected, rel=1e-5)


def test_the_free_energy_sums_over_every_hidden_state(rbm):
    visible, hidden = states(NUM_VISIBLE), states(NUM_HIDDEN)
    for each in visible:
        energies = energy(LOGISTIC, rbm, jnp.tile(each, (len(hidden), 1)), hidden)
        expected = -jax.nn.logsumexp(-energies)
        assert float(free_energy(LOGISTIC, rbm, each[None])[0]) == pytest.approx(
            float(expected), abs=1e-5
        )


def test_the_free_energy_of_linear_units_is_an_integral_over_them(rbm):
    one = RBM(rbm.weights[:, :1], rbm.visible_bias, rbm.hidden_bias[:1])
    grid = jnp.linspace(-15.0, 15.0, 3001)[:, None]
    for visible in states(NUM_VISIBLE):
        energies = energy(LINEAR, one, jnp.tile(visible, (len(grid), 1)), grid)
        integral = jnp.exp(-energies).sum() * 0.01
        expected = -jnp.log(integral) + math.log(2.0 * math.pi) / 2.0
        found = free_energy(LINEAR, one, visible[None])
        assert float(found[0]) == pytest.approx(float(expected), abs=1e-4)


def test_a_machine_of_zeros_has_log_two_of_free_energy_per_hidden_unit():
    zeros = RBM(jnp.zeros((5, 7)), jnp.zeros(5), jnp.zeros(7))
    found = free_energy(LOGISTIC, zeros, jnp.ones((1, 5)))
    assert float(found[0]) == pytest.approx(-7.0 * math.log(2.0))


def test_hidden_means_are_the_conditionals_of_the_joint(rbm, joint):
    hidden = np.asarray(states(NUM_HIDDEN))
    expected = joint @ hidden / joint.sum(axis=1, keepdims=True)
    found = hidden_mean(LOGISTIC, rbm, states(NUM_VISIBLE))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_visible_means_are_the_conditionals_of_the_joint(rbm, joint):
    visible = np.asarray(states(NUM_VISIBLE))
    expected = joint.T @ visible / joint.sum(axis=0)[:, None]
    np.testing.assert_allclose(visible_mean(rbm, states(NUM_HIDDEN)), expected, atol=1e-5)


@pytest.mark.parametrize("units", [LOGISTIC, LINEAR])
def test_the_mean_is_the_derivative_of_the_log_partition(units):
    inputs = jnp.linspace(-3.0, 3.0, 13)
    slopes = jax.vmap(jax.grad(units.log_partition))(inputs)
    np.testing.assert_allclose(slopes, units.mean(inputs), atol=1e-6)


@pytest.mark.parametrize(("units", "variance"), [(LOGISTIC, None), (LINEAR, 1.0)])
def test_hidden_samples_have_the_mean_and_the_spread(rbm, units, variance):
    visible = jnp.tile(jnp.array([[1.0, 0.0, 1.0, 0.0]]), (20_000, 1))
    samples = sample_hidden(units, rbm, visible, jax.random.key(1))
    mean = hidden_mean(units, rbm, visible[:1])[0]
    expected = mean * (1.0 - mean) if variance is None else jnp.full(NUM_HIDDEN, variance)
    np.testing.assert_allclose(samples.mean(0), mean, atol=0.03)
    np.testing.assert_allclose(samples.var(0), expected, atol=0.04)


def test_visible_samples_are_bits_with_the_mean(rbm):
    hidden = jnp.tile(jnp.array([[1.0, 0.0, 1.0]]), (20_000, 1))
    samples = sample_visible(rbm, hidden, jax.random.key(1))
    assert set(np.unique(samples)) == {0.0, 1.0}
    np.testing.assert_allclose(samples.mean(0), visible_mean(rbm, hidden[:1])[0], atol=0.02)


def test_a_long_gibbs_chain_forgets_where_it_began(rbm, joint):
    start = jnp.zeros((20_000, NUM_VISIBLE))
    found = reconstruct(LOGISTIC, 20, rbm, start, jax.random.key(2)).mean(0)
    expected = joint.sum(axis=1) @ np.asarray(states(NUM_VISIBLE))
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_one_gibbs_step_averages_over_the_hidden_states(rbm):
    visible = jnp.array([[1.0, 1.0, 0.0, 0.0]])
    means = np.asarray(hidden_mean(LOGISTIC, rbm, visible)[0])
    hidden = np.asarray(states(NUM_HIDDEN))
    odds = np.prod(np.where(hidden > 0, means[None, :], 1.0 - means[None, :]), axis=1)
    expected = odds @ np.asarray(visible_mean(rbm, jnp.asarray(hidden)))
    many = jnp.tile(visible, (20_000, 1))
    found = reconstruct(LOGISTIC, 1, rbm, many, jax.random.key(3)).mean(0)
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_weights_begin_with_a_tenth_of_a_standard_deviation_and_biases_at_zero():
    first = init_rbm(jax.random.key(0), 100, 200)
    assert float(first.weights.std()) == pytest.approx(0.1, rel=0.02)
    assert not first.visible_bias.any()
    assert not first.hidden_bias.any()


@pytest.mark.slow
def test_the_unrolled_autoencoder_is_the_mean_field_pass_up_and_down_the_stack():
    keys = jax.random.split(jax.random.key(0), 3)
    widths = (16, 9, 6, 2)
    rbms = [
        RBM(weights.weights, jnp.full(below, 0.3), jnp.full(above, -0.2))
        for weights, below, above in (
            (init_rbm(key, below, above), below, above)
            for key, below, above in zip(keys, widths[:-1], widths[1:], strict=True)
        )
    ]
    images = jax.random.uniform(jax.random.key(1), (5, 4, 4, 1), minval=-1.0)
    params = unroll(rbms)
    encoder = DenseEncoder(widths[1:-1], widths[-1], jax.nn.sigmoid)
    decoder = DenseDecoder(widths[-2:0:-1], (4, 4, 1), jax.nn.sigmoid)
    codes = encoder.apply({"params": params["encoder"]}, images)
    logits = decoder.apply({"params": params["decoder"]}, codes)

    up = (images.reshape(5, 16) + 1.0) / 2.0
    for rbm in rbms[:-1]:
        up = hidden_mean(LOGISTIC, rbm, up)
    up = hidden_inputs(rbms[-1], up)
    np.testing.assert_allclose(codes, up, rtol=1e-5, atol=1e-6)
    down = up
    for rbm in reversed(rbms):
        down = visible_mean(rbm, down)
    np.testing.assert_allclose(jax.nn.sigmoid(logits).reshape(5, 16), down, rtol=1e-5, atol=1e-6)


def test_propagation_through_a_stack_ends_at_its_top(rbm):
    visible = states(NUM_VISIBLE)
    above = init_rbm(jax.random.key(5), NUM_HIDDEN, 2)
    expected = hidden_inputs(above, hidden_mean(LOGISTIC, rbm, visible))
    np.testing.assert_allclose(
        propagate_up((LOGISTIC, LINEAR), (rbm, above), visible), expected, rtol=1e-6
    )
    assert propagate_up((), (), visible) is visible
