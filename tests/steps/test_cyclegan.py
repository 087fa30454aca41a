import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lecture_models.steps.cyclegan import (
    JUDGE_A,
    JUDGE_B,
    TO_A,
    TO_B,
    CycleGAN,
    cycle_step,
    init_cycle,
)

# Generators scale and shift; judges weigh the brightness.
GAME = CycleGAN(
    generate=lambda params, images: params["scale"] * images + params["shift"],
    judge=lambda params, images: params["weight"] * images.mean(-1) + params["bias"],
    optimizer=optax.sgd(0.01),
    cycle_weight=10.0,
    identity_weight=5.0,
)
A = jax.random.normal(jax.random.key(0), (2, 3, 3, 1))
B = 1.0 - jax.random.normal(jax.random.key(1), (2, 3, 3, 1))


def generator(scale, shift):
    return {"scale": jnp.float32(scale), "shift": jnp.float32(shift)}


def judge(weight, bias):
    return {"weight": jnp.float32(weight), "bias": jnp.float32(bias)}


def begin(to_b, to_a, judge_a, judge_b, pool=0):
    return init_cycle(GAME, (to_b, to_a), (judge_a, judge_b), pool, (3, 3, 1))


@pytest.fixture(scope="module")
def step():
    return jax.jit(lambda state, a, b, key: cycle_step(GAME, state, a, b, key))


def test_maps_that_undo_each_other_have_no_cycle_error(step):
    state = begin(generator(2.0, 1.0), generator(0.5, -0.5), judge(1, 0), judge(1, 0))
    _, metrics = step(state, A, B, jax.random.key(0))
    assert float(metrics["cycle_error"]) == pytest.approx(0.0, abs=1e-6)
    state = begin(generator(1.0, 0.0), generator(1.0, 0.0), judge(1, 0), judge(1, 0))
    _, metrics = step(state, A, B, jax.random.key(0))
    assert float(metrics["identity_error"]) == 0.0


def test_losses_have_their_values_by_hand(step):
    state = begin(generator(1.0, 0.0), generator(1.0, 0.0), judge(0, 0.25), judge(0, 0.75))
    after, metrics = step(state, A, B, jax.random.key(0))
    # ((0.25 - 1)^2 + 0.25^2) / 2 and ((0.75 - 1)^2 + 0.75^2) / 2, the mean over both.
    assert float(metrics["discriminator_loss"]) == pytest.approx(0.3125)
    # The generators meet judges that have moved by their gradient: 2 x (bias - 1/2).
    biases = [0.25 - 0.01 * 2 * (0.25 - 0.5), 0.75 - 0.01 * 2 * (0.75 - 0.5)]
    weights = [after.players[name].params["weight"] for name in (JUDGE_A, JUDGE_B)]
    deceived = [
        float(jnp.square(w * images.mean(-1) + bias - 1.0).mean())
        for w, images, bias in zip(weights, (B, A), biases, strict=True)
    ]
    assert float(metrics["generator_loss"]) == pytest.approx(np.mean(deceived), rel=1e-4)


def test_exchanged_domains_give_exchanged_states(step):
    first = (generator(1.3, 0.2), generator(0.7, -0.1), judge(0.5, 0.1), judge(-0.3, 0.4))
    second = (first[1], first[0], first[3], first[2])
    forward, _ = step(begin(*first), A, B, jax.random.key(0))
    mirrored, _ = step(begin(*second), B, A, jax.random.key(0))
    exchanged = {TO_B: TO_A, TO_A: TO_B, JUDGE_A: JUDGE_B, JUDGE_B: JUDGE_A}
    for name, other in exchanged.items():
        for key, value in forward.players[name].params.items():
            np.testing.assert_allclose(mirrored.players[other].params[key], value, rtol=1e-6)


def test_pools_keep_the_translations_of_earlier_steps(step):
    state = begin(generator(2.0, 0.0), generator(3.0, 0.0), judge(1, 0), judge(1, 0), pool=3)
    after, _ = step(state, A, B, jax.random.key(0))
    np.testing.assert_allclose(after.pool_b.images[:2], 2.0 * A, rtol=1e-6)
    np.testing.assert_allclose(after.pool_a.images[:2], 3.0 * B, rtol=1e-6)
    assert int(after.pool_a.count) == 2
