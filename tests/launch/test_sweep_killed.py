"""Tests that sweeps whose processes are killed or stopped lose no trial and repeat none."""

import json
import os
import re
import signal
import time

import pytest

from tests.launch.sweeping import arguments, process, trials, write

GRID = {"y": {"values": [0.0, 1.0, 2.0, 3.0]}, "seconds": {"value": 0.2}}


def text(path):
    return path.read_text().splitlines()


def lines(folder):
    return [line for path in folder.glob("trials/*/metrics.jsonl") for line in text(path)]


def wait_for_lines(folder, least, running):
    end = time.monotonic() + 90
    while len(lines(folder)) < least:
        assert running.poll() is None, running.stdout.read()
        assert time.monotonic() < end
        time.sleep(0.02)


def steps(folder):
    """Returns the steps at which each trial was evaluated, in order."""
    found = {}
    for path in sorted(folder.glob("trials/*/metrics.jsonl")):
        records = [json.loads(line) for line in text(path)]
        found[path.parent.name] = [each["step"] for each in records if "eval" in each]
    return found


def assert_whole(folder, said):
    assert re.search(r"^4 trials: 4 finished$", said, re.MULTILINE), said
    assert steps(folder) == {f"000{index}": [1, 2, 3, 4] for index in range(4)}


@pytest.mark.slow
def test_the_same_command_goes_on_after_kill_9_and_after_ctrl_c(tmp_path):
    path, folder = write(tmp_path, method="grid", parameters=GRID, run_cap=None), tmp_path / "sweep"
    running = process(path)
    wait_for_lines(folder, 11, running)
    running.kill()
    running.communicate()
    running = process(path)
    wait_for_lines(folder, 19, running)
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 130, said
    command = " ".join(arguments(path))
    assert re.search(rf"to continue the sweep: python \S+ {re.escape(command)}\n", said)
    last = process(path)
    said, _ = last.communicate(timeout=90)
    assert last.returncode == 0, said
    assert_whole(folder, said)
    assert max(len(each["sessions"]) for each in trials(folder).values()) >= 2


@pytest.mark.slow
def test_workers_share_a_sweep_and_one_that_is_killed_is_replaced(tmp_path):
    path, folder = write(tmp_path, method="grid", parameters=GRID, run_cap=None), tmp_path / "sweep"
    running = process(path, "--workers=2")
    wait_for_lines(folder, 4, running)
    worker = next(folder.glob("workers/*.lock")).stem
    os.kill(int(worker.split("-")[-2]), signal.SIGKILL)
    said, _ = running.communicate(timeout=120)
    assert running.returncode == 0, said
    assert "was killed by signal 9; it is restarted" in said
    assert_whole(folder, said)
