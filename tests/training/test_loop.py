import itertools
import math

import jax
import numpy as np
import pytest

from lecture_models.experiment import Best, Cadence, Experiment
from lecture_models.training.checkpoint import Checkpoints, digest
from lecture_models.training.devices import ONE_DEVICE
from lecture_models.training.interrupt import Interrupted
from lecture_models.training.loop import Hooks, train
from lecture_models.training.metric_window import NonFiniteError, empty
from tests.training.toy import toy_experiment

CADENCE = Cadence(num_steps=30, log_every=4, eval_every=10, checkpoint_every=7)


class Log:
    """Keeps what a Recorder receives."""

    def __init__(self):
        self.trained, self.evaluated = [], []

    def train(self, step, metrics):
        self.trained.append((step, metrics["loss"]))

    def evaluation(self, step, evaluation):
        self.evaluated.append((step, evaluation))

    def sync(self):
        pass


def run(
    folder,
    experiment=None,
    cadence=CADENCE,
    seed=0,
    hooks=None,
    steps_per_dispatch=None,
    log=None,
    devices=ONE_DEVICE,
):
    log, lines = log or Log(), []
    checkpoints = Checkpoints(folder, lines.append)
    try:
        outcome = train(
            experiment or toy_experiment(),
            cadence,
            seed,
            checkpoints,
            log,
            hooks or Hooks(),
            steps_per_dispatch,
            devices,
        )
    finally:
        checkpoints.close()
    return outcome, log, lines


def stop_after(calls):
    """Returns hooks with a signal that arrives at dispatch number `calls`."""
    counter = itertools.count(1)
    return Hooks(stop_signal=lambda: 15 if next(counter) >= calls else 0)


@pytest.mark.slow
def test_the_loss_decreases(tmp_path):
    _, log, _ = run(tmp_path, cadence=CADENCE._replace(num_steps=200))
    assert log.trained[-1][1] < 0.01 * log.trained[0][1]


def test_log_and_evaluation_come_at_their_steps_and_at_the_end(tmp_path):
    _, log, _ = run(tmp_path)
    assert [step for step, _ in log.trained] == [4, 8, 12, 16, 20, 24, 28, 30]
    assert [step for step, _ in log.evaluated] == [10, 20, 30]


def test_every_evaluation_sees_the_same_latents(tmp_path):
    _, log, _ = run(tmp_path)
    pictures = [np.asarray(evaluation["latents"].pixels) for _, evaluation in log.evaluated]
    np.testing.assert_array_equal(pictures[0], pictures[-1])


def test_a_logged_metric_is_the_mean_of_its_window(tmp_path):
    _, every_step, _ = run(tmp_path / "a", cadence=CADENCE._replace(log_every=1))
    _, windowed, _ = run(tmp_path / "b")
    losses = dict(every_step.trained)
    assert windowed.trained[0][1] == pytest.approx(np.mean([losses[i] for i in (1, 2, 3, 4)]), 1e-6)
    assert windowed.trained[-1][1] == pytest.approx(np.mean([losses[i] for i in (29, 30)]), 1e-6)


@pytest.mark.slow
def test_many_steps_per_dispatch_give_the_numbers_of_one(tmp_path):
    single, log_single, _ = run(tmp_path / "a", steps_per_dispatch=1)
    many, log_many, _ = run(tmp_path / "b", steps_per_dispatch=5)
    assert [step for step, _ in log_single.trained] == [step for step, _ in log_many.trained]
    for (_, expected), (_, found) in zip(log_single.trained, log_many.trained, strict=True):
        assert found == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(single.state.weights, many.state.weights, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("steps_per_dispatch", [1, 3])
def test_a_stopped_run_resumes_to_the_same_bits_and_lines(tmp_path, steps_per_dispatch):
    whole, expected, _ = run(tmp_path / "whole", steps_per_dispatch=steps_per_dispatch)
    lines = []
    for calls in (3, 2, 1, 4):
        hooks, log = stop_after(calls), Log()
        with pytest.raises(Interrupted):
            run(tmp_path / "parts", hooks=hooks, steps_per_dispatch=steps_per_dispatch, log=log)
        lines += log.trained
    parts, log, _ = run(tmp_path / "parts", steps_per_dispatch=steps_per_dispatch)
    assert lines + log.trained == expected.trained
    assert parts.digest == whole.digest == digest_of(whole)


def test_a_run_that_is_at_its_end_trains_no_further(tmp_path):
    whole, _, _ = run(tmp_path)
    again, log, _ = run(tmp_path)
    assert log.trained == log.evaluated == []
    assert again.digest == whole.digest


def digest_of(outcome):
    blank = empty(1)
    return digest({"state": outcome.state, "window": blank})


def test_another_seed_gives_another_run(tmp_path):
    first, _, _ = run(tmp_path / "a", seed=0)
    second, _, _ = run(tmp_path / "b", seed=1)
    assert first.digest != second.digest


@pytest.mark.slow
@pytest.mark.parametrize("steps_per_dispatch", [1, 5])
def test_a_loss_that_is_nan_names_its_step_and_keeps_the_checkpoint_before(
    tmp_path, steps_per_dispatch
):
    with pytest.raises(NonFiniteError, match="loss is not finite at step 18$"):
        run(
            tmp_path,
            toy_experiment(poison_step=18),
            CADENCE._replace(num_steps=24),
            steps_per_dispatch=steps_per_dispatch,
        )
    checkpoints = Checkpoints(tmp_path, [].append)
    assert checkpoints.steps()[-1] == 14
    checkpoints.close()


def test_a_state_that_holds_nan_is_not_saved(tmp_path):
    toy = toy_experiment()

    def step(state, batch, key):
        state, metrics = toy.step(state, batch, key)
        return state._replace(velocity=state.velocity * math.nan), metrics

    broken = Experiment(toy.init, step, toy.evaluate, toy.batches)
    with pytest.raises(NonFiniteError, match="the state holds NaN after step 1$"):
        run(tmp_path, broken, CADENCE._replace(checkpoint_every=1))


@pytest.mark.slow
@pytest.mark.parametrize(("sign", "extreme"), [(1.0, max), (-1.0, min)])
def test_the_best_checkpoint_stays_beside_the_last_three(tmp_path, sign, extreme):
    cadence = CADENCE._replace(num_steps=60, eval_every=5, checkpoint_every=5)
    experiment = toy_experiment(best=Best("weight_norm", sign))
    _, log, _ = run(tmp_path, experiment, cadence)
    norms = {step: float(evaluation["weight_norm"]) for step, evaluation in log.evaluated}
    best = extreme(norms, key=norms.get)
    checkpoints = Checkpoints(tmp_path, [].append)
    assert set(checkpoints.steps()) == {best, 50, 55, 60}
    checkpoints.close()
    with pytest.raises(Interrupted):
        run(tmp_path / "parts", experiment, cadence, hooks=stop_after(33))
    run(tmp_path / "parts", experiment, cadence)
    checkpoints = Checkpoints(tmp_path / "parts", [].append)
    assert set(checkpoints.steps()) == {best, 50, 55, 60}
    checkpoints.close()


def test_speed_does_not_count_the_first_dispatch(tmp_path):
    outcome, _, _ = run(tmp_path)
    assert outcome.steps_timed == 29
    assert outcome.steps_per_second > 0
    assert jax.tree.leaves(outcome.state)[0].shape == (5,)
