"""Trains on sentences that are padded to three lengths, through the one loop."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.data.dataset import Split
from lecture_models.data.ragged import Ragged
from lecture_models.data.ragged_batches import ragged_batches
from lecture_models.experiment import Cadence, Experiment
from lecture_models.training import devices
from lecture_models.training.checkpoint import Checkpoints
from lecture_models.training.interrupt import Interrupted
from lecture_models.training.loop import NO_HOOKS, Hooks, train
from lecture_models.training.processes import SINGLE_PROCESS
from tests.training.toy import Silent

LENGTHS = [2, 3, 3, 3, 5, 6, 6, 7, 9, 11, 12, 12]
CADENCE = Cadence(num_steps=10, log_every=2, eval_every=10, checkpoint_every=4)


def experiment(traced):
    """Learns a word's value from the means of sentences; `traced` gets each compiled shape."""
    random = np.random.default_rng(0)
    words = [random.integers(0, 5, length, np.int32) for length in LENGTHS]
    targets = np.array([sentence.mean() for sentence in words], np.float32)
    split = Split({"tokens": Ragged.from_sequences(words), "targets": targets})
    batches = ragged_batches(split, 2, 0, {"tokens": (3, 7, 12)}, padding={"tokens": 4})

    def losses(values, batch):
        mask = jnp.arange(batch["tokens"].shape[1])[None] < batch["tokens_lengths"][:, None]
        means = (values[batch["tokens"]] * mask).sum(1) / batch["tokens_lengths"]
        return (means - batch["targets"]) ** 2

    def step(values, batch, key):
        traced.append(batch["tokens"].shape)

        def mean(values):
            return (batch["weights"] * losses(values, batch)).sum() / batch["weights"].sum()

        loss, gradient = jax.value_and_grad(mean)(values)
        return values - 0.05 * gradient, {"loss": loss}

    return Experiment(
        lambda key: jnp.zeros(5), step, lambda values, key: {"sum": values.sum()}, batches
    )


def run(folder, traced=None, hooks=NO_HOOKS, cadence=CADENCE, **options):
    recorder, checkpoints = Silent(), Checkpoints(folder, print)
    try:
        made = experiment([] if traced is None else traced)
        outcome = train(made, cadence, 0, checkpoints, recorder, hooks, **options)
    finally:
        checkpoints.close()
    return outcome, recorder.losses


def test_three_lengths_are_compiled_once_each(tmp_path):
    traced = []
    _, losses = run(tmp_path, traced, cadence=CADENCE._replace(num_steps=200))
    assert sorted(traced) == [(2, 3), (2, 7), (2, 12)]
    assert losses[-1]["loss"] < 0.2 * losses[0]["loss"]


def test_several_steps_per_dispatch_fall_back_to_single_steps(tmp_path):
    single, losses = run(tmp_path / "single", steps_per_dispatch=1)
    several, same_losses = run(tmp_path / "several", steps_per_dispatch=4)
    assert (single.digest, losses) == (several.digest, same_losses)


def test_one_device_is_chosen():
    chosen = devices.choose_devices(experiment([]), SINGLE_PROCESS, 0, print)
    assert chosen is devices.ONE_DEVICE


@pytest.mark.parametrize("stopped_after", [1, 3, 7])
def test_a_stopped_run_resumes_to_the_same_bits(tmp_path, stopped_after):
    whole, _ = run(tmp_path / "whole")
    dispatches = itertools.count(1)
    hooks = Hooks(stop_signal=lambda: 15 if next(dispatches) >= stopped_after else 0)
    with pytest.raises(Interrupted):
        run(tmp_path / "parts", hooks=hooks)
    resumed, _ = run(tmp_path / "parts")
    assert resumed.digest == whole.digest
