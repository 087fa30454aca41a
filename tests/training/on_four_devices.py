"""Tests runs on four devices; `test_devices.py` runs it in a process whose CPU is four devices."""

import jax
import numpy as np
import pytest
from jax.sharding import SingleDeviceSharding

from lecture_models.experiment import Cadence
from lecture_models.training.devices import ONE_DEVICE, ManyDevices, choose_devices
from lecture_models.training.interrupt import Interrupted
from lecture_models.training.processes import SINGLE_PROCESS
from tests.toy_house.experiments.least_squares import Config, build
from tests.training.test_loop import Log, stop_after
from tests.training.test_loop import run as run_loop

CADENCE = Cadence(num_steps=30, log_every=4, eval_every=30, checkpoint_every=30)
DEVICES = {1: ONE_DEVICE, 2: ManyDevices(SINGLE_PROCESS, 2), 4: ManyDevices(SINGLE_PROCESS, 4)}


def run(folder, count, **options):
    return run_loop(folder, build(Config()), CADENCE, devices=DEVICES[count], **options)


def assert_same_training(found, expected):
    """Compares to float tolerance, because sums over the batch are in another order."""
    outcome, log = found
    expected_outcome, expected_log = expected
    np.testing.assert_allclose(log.trained, expected_log.trained, rtol=1e-5)
    for ours, theirs in zip(outcome.state, expected_outcome.state, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(tmp_path_factory.mktemp("whole"), 1)[:2]


@pytest.mark.parametrize(("count", "steps_per_dispatch"), [(4, 1), (4, 5)])
def test_many_devices_train_as_one(tmp_path, whole, count, steps_per_dispatch):
    found = run(tmp_path, count, steps_per_dispatch=steps_per_dispatch)[:2]
    assert_same_training(found, whole)
    shards = found[0].state.weights.addressable_shards
    assert {shard.data.shape for shard in shards} == {(5,)}
    assert len(shards) == count


@pytest.mark.parametrize("count", [1, 2])
def test_a_checkpoint_of_four_devices_resumes_on_fewer(tmp_path, whole, count):
    log = Log()
    with pytest.raises(Interrupted):
        run(tmp_path, 4, hooks=stop_after(18), log=log)
    assert log.trained[-1][0] == 16
    outcome, log, _ = run(tmp_path, count, log=log)
    assert_same_training((outcome, log), whole)


def test_a_checkpoint_of_one_device_resumes_on_four(tmp_path, whole):
    log = Log()
    with pytest.raises(Interrupted):
        run(tmp_path, 1, hooks=stop_after(9), log=log)
    outcome, log, _ = run(tmp_path, 4, log=log)
    assert_same_training((outcome, log), whole)


def test_four_devices_stopped_and_resumed_give_the_same_bits(tmp_path):
    expected, _, _ = run(tmp_path / "whole", 4)
    with pytest.raises(Interrupted):
        run(tmp_path / "parts", 4, hooks=stop_after(10))
    outcome, _, _ = run(tmp_path / "parts", 4)
    assert outcome.digest == expected.digest


def test_each_device_holds_its_part_of_a_batch():
    source = build(Config()).batches
    batch = next(DEVICES[4].batches(source)(3))
    expected = next(source(3))
    for name, array in batch.items():
        np.testing.assert_array_equal(array, expected[name])
        assert [len(shard.data) for shard in array.addressable_shards] == [2, 2, 2, 2]


def test_evaluation_sees_a_state_of_one_device(tmp_path):
    kinds = []

    def evaluate(state, key):
        kinds.append({type(leaf.sharding) for leaf in jax.tree.leaves(state)})
        return {}

    experiment = build(Config())._replace(evaluate=evaluate)
    run_loop(tmp_path, experiment, CADENCE._replace(num_steps=2), devices=DEVICES[4])
    assert kinds == [{SingleDeviceSharding}]


def test_draws_do_not_depend_on_the_division():
    """Holds for jax's default generator, which every experiment uses."""
    key = jax.random.key(3)

    def draw(key):
        return DEVICES[4].constrain(jax.random.normal(key, (8, 3)))

    divided = jax.jit(draw)(DEVICES[4].replicate(key))
    assert len(divided.addressable_shards[0].data) == 2
    np.testing.assert_array_equal(divided, jax.jit(lambda key: jax.random.normal(key, (8, 3)))(key))


def test_all_devices_are_used_where_they_divide_the_batch():
    lines = []
    assert choose_devices(build(Config()), SINGLE_PROCESS, 0, lines.append).count == 4
    assert not lines


def test_fewer_devices_are_used_where_all_do_not_divide_the_batch():
    lines = []
    assert choose_devices(build(Config(batch_size=6)), SINGLE_PROCESS, 0, lines.append).count == 3
    assert lines == ["a batch of 6 is divided among 3 of 4 devices; a multiple of 4 would use all"]
    assert (
        choose_devices(build(Config(batch_size=7)), SINGLE_PROCESS, 0, lines.append) is ONE_DEVICE
    )


@pytest.mark.parametrize(
    ("batch_size", "requested", "message"),
    [
        (
            6,
            4,
            "a batch of 6 cannot be divided among 4 devices: use a batch of 4 or 8, or give --dev",
        ),
        (
            3,
            4,
            "a batch of 3 cannot be divided among 4 devices: use a batch of 4, or give --devices=3",
        ),
        (8, 5, "--devices is 5; it must be from 1 to 4"),
        (8, -1, "--devices is -1; it must be from 1 to 4"),
    ],
)
def test_devices_that_cannot_be_used_are_refused(batch_size, requested, message):
    from lecture_models.config import UsageError

    with pytest.raises(UsageError, match=message):
        choose_devices(build(Config(batch_size=batch_size)), SINGLE_PROCESS, requested, print)


def test_batches_without_examples_run_on_one_device():
    lines = []
    experiment = build(Config())._replace(batches=lambda first_step: iter(()))
    assert choose_devices(experiment, SINGLE_PROCESS, 4, lines.append) is ONE_DEVICE
    assert lines == ["this experiment's batches cannot be divided: it runs on one device"]
