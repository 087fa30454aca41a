"""Tests what gan_mnist adds to the parts that it composes."""

import contextlib
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import gan_mnist
from lecture_models.data.lookup import Library
from lecture_models.experiment import Cadence
from lecture_models.training.checkpoint import Checkpoints, digest
from lecture_models.training.loop import train
from tests.training.toy import Silent

SMOKE = gan_mnist.Config(**gan_mnist.SMOKE)
PAPER = gan_mnist.Config(**gan_mnist.PAPER)


def trained(config, folder, steps_per_dispatch):
    experiment = gan_mnist.build(config, Library(folder, print))._replace(
        evaluate=lambda state, key: {}, best=None
    )
    with contextlib.closing(Checkpoints(folder / "checkpoints", print)) as checkpoints:
        cadence = Cadence(6, 3, 6, 6)
        return train(
            experiment, cadence, 0, checkpoints, Silent(), steps_per_dispatch=steps_per_dispatch
        ).state


@pytest.mark.slow
def test_the_scanned_loop_of_an_accelerator_gives_the_same_generator(tmp_path):
    single, many = (trained(SMOKE, tmp_path / str(k), k) for k in (1, 3))
    for one, other in zip(jax.tree.leaves(single), jax.tree.leaves(many), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_the_minimax_loss_trains_another_generator(tmp_path):
    minimax = dataclasses.replace(SMOKE, saturating=True)
    ours, theirs = (
        trained(config, tmp_path / str(i), 1) for i, config in enumerate((SMOKE, minimax))
    )
    first, second = (jax.tree.leaves(state.generator)[0] for state in (ours, theirs))
    assert np.abs(np.asarray(first) - np.asarray(second)).max() > 1e-4


@pytest.mark.parametrize(
    ("epoch", "momentum", "rate"),
    [(0, 0.5, 0.1), (1, 0.5, 0.0998), (250, 0.7, 0.06065), (10_000, 0.7, 1e-6)],
)
def test_the_papers_schedules_are_those_of_its_code(epoch, momentum, rate):
    optimizer = gan_mnist.make_optimizer(PAPER, 1.0)
    weights = {"w": jnp.ones(2)}
    state = optimizer.init(weights)
    state = state._replace(
        hyperparams_states={
            name: schedule._replace(count=jnp.int32(500 * epoch))
            for name, schedule in state.hyperparams_states.items()
        }
    )
    _, state = optimizer.update(weights, state, weights)
    assert float(state.hyperparams["momentum"]) == pytest.approx(momentum, abs=1e-4)
    assert float(state.hyperparams["learning_rate"]) == pytest.approx(rate, rel=1e-3)


def test_the_learning_rate_decays_to_zero_by_the_last_step():
    config = gan_mnist.Config(num_steps=100, learning_rate=0.5)
    optimizer = gan_mnist.make_optimizer(config, 2.0)
    weights = {"w": jnp.ones(1)}
    state = optimizer.init(weights)
    sizes = []
    for _ in range(101):
        updates, state = optimizer.update(weights, state)
        sizes.append(abs(float(updates["w"][0])))
    assert sizes[0] == pytest.approx(1.0, rel=1e-3)
    assert sizes[-1] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.slow
def test_the_papers_optimizer_state_comes_back_from_a_checkpoint(tmp_path):
    paper = dataclasses.replace(SMOKE, momentum_sgd=True, uniform_init=(0.05, 0.005))
    state = trained(paper, tmp_path, 1)
    with contextlib.closing(Checkpoints(tmp_path / "again", print)) as checkpoints:
        checkpoints.save(6, state)
        checkpoints.wait()
        _, restored = checkpoints.restore_latest(jax.eval_shape(lambda: state))
    assert digest(restored) == digest(state)


def test_the_papers_weights_start_in_its_ranges():
    key = jax.random.key(0)
    for half_width, kernel_init in zip(
        PAPER.uniform_init, gan_mnist.kernel_inits(PAPER), strict=True
    ):
        weights = kernel_init(jax.random.clone(key), (200, 200))
        assert 0.95 * half_width < float(jnp.abs(weights).max()) <= half_width


def test_another_number_of_ranges_is_refused():
    with pytest.raises(ValueError, match="--uniform_init has 1 values; allowed: 0 or 2"):
        gan_mnist.Config(uniform_init=(0.1,))


def test_the_flat_state_holds_what_the_nested_one_does(tmp_path):
    flat = trained(SMOKE, tmp_path, 1)
    assert digest(gan_mnist.State.flat(flat.nested)) == digest(flat)
    assert flat._fields == (
        "generator",
        "discriminator",
        "generator_optimizer",
        "discriminator_optimizer",
        "average",
    )
