"""Tests training on many devices, in a new process, because this one has a single device."""

import os
import re
import subprocess
import sys

import jax
import pytest

from lecture_models.config import UsageError
from lecture_models.training import devices
from lecture_models.training.processes import (
    SINGLE_PROCESS,
    ProcessGroup,
    ProcessGroupError,
    ProcessGroupOptions,
    Status,
    initialize,
)
from tests.toy_house.experiments.least_squares import Config, build

PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")


@pytest.mark.slow
def test_four_devices_in_one_process(root):
    forced = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=4"
    finished = subprocess.run(
        [sys.executable, *PYTEST, "tests/training/on_four_devices.py"],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"XLA_FLAGS": forced},
    )
    assert finished.returncode == 0, finished.stdout
    assert int(re.search(r"(\d+) passed", finished.stdout).group(1)) >= 16


def test_a_single_device_needs_no_placement():
    assert devices.choose_devices(build(Config()), SINGLE_PROCESS, 0, print) is devices.ONE_DEVICE
    tree = {"a": jax.numpy.ones(3)}
    assert devices.ONE_DEVICE.broadcast(tree) is devices.ONE_DEVICE.to_host(tree) is tree


def test_a_single_process_agrees_with_itself():
    assert SINGLE_PROCESS.all_reduce_max(15) == 15
    assert SINGLE_PROCESS.barrier(Status.READY) == Status.READY
    assert SINGLE_PROCESS.is_main


def test_an_error_of_a_single_process_is_not_changed():
    with pytest.raises(ValueError, match="UNKNOWN: "), SINGLE_PROCESS.one_line_errors():
        raise ValueError("UNKNOWN: not from a collective")


def test_a_failed_collective_is_one_line():
    expected = "^another process of the run is lost .*closed by peer"
    with pytest.raises(ProcessGroupError, match=expected), ProcessGroup(0, 2).one_line_errors():
        raise ValueError("UNKNOWN: Gloo AllReduce failed:\n Connection closed by peer")
    with pytest.raises(ValueError, match="shapes differ"), ProcessGroup(0, 2).one_line_errors():
        raise ValueError("shapes differ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ProcessGroupOptions(num_processes=2),
            "--num_processes needs --coordinator=HOST:PORT",
        ),
        (ProcessGroupOptions(process_id=0), "--process_id needs --coordinator=HOST:PORT"),
        (ProcessGroupOptions("localhost:9", 2), "needs --num_processes and --process_id"),
        (
            ProcessGroupOptions("localhost", 2, 0),
            "--coordinator is localhost; it must be HOST:PORT",
        ),
        (ProcessGroupOptions("localhost:http", 2, 0), "must be HOST:PORT"),
        (ProcessGroupOptions("localhost:70000", 2, 0), "must be HOST:PORT"),
        (ProcessGroupOptions("localhost:9", 2, 2), "--process_id is 2; it must be from 0 to 1"),
        (
            ProcessGroupOptions("auto", 2),
            "--coordinator=auto determines --num_processes and --process_id",
        ),
        (ProcessGroupOptions("localhost:9", 0, 0), "--num_processes is 0; it must be at least 1"),
        (ProcessGroupOptions("localhost:9", 2, 0, 0), "--join_timeout is 0; it must be at least 1"),
        (
            ProcessGroupOptions("no-such-host.invalid:9", 2, 1),
            "--coordinator is no-such-host.invalid:9: ",
        ),
    ],
)
def test_flags_that_name_no_process_group_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        initialize(options)


def test_no_cluster_is_said_in_a_line(monkeypatch):
    def refuse(**arguments):
        raise ValueError("coordinator_address should be defined.")

    monkeypatch.setattr(jax.distributed, "initialize", refuse)
    with pytest.raises(UsageError, match="^--coordinator=auto: jax does not recognize a cluster"):
        initialize(ProcessGroupOptions("auto"))
