"""Tests that a run that was stopped or killed resumes with the same bits."""

import random
import re
import signal
import time

import pytest

from tests.launch.launched import SMOKE, process, summary


@pytest.mark.slow
def test_ctrl_c_saves_a_checkpoint_and_prints_the_command_that_resumes(root, tmp_path):
    folder = tmp_path / "run"
    arguments = (*SMOKE, "--num_steps=100000", "--eval_every=100000", f"--workdir={folder}")
    running = process(root, *arguments)
    wait_for_lines(folder / "metrics.jsonl", 3, running)
    running.send_signal(signal.SIGINT)
    _, error = running.communicate(timeout=60)
    assert running.returncode == 130
    assert f"to resume: python launch.py {' '.join(arguments)}" in error
    found = summary(folder)
    assert found["status"] == "interrupted"
    assert str(found["step"]) in {entry.name for entry in (folder / "checkpoints").iterdir()}


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_with_the_same_bits_and_lines(root, tmp_path):
    interval = 20
    arguments = (*SMOKE, "--num_steps=400", "--log_every=5", "--eval_every=200")
    arguments += (f"--checkpoint_every={interval}",)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    uninterrupted = process(root, *arguments, f"--workdir={whole}")
    _, error = uninterrupted.communicate(timeout=120)
    assert uninterrupted.returncode == 0, error
    generator = random.Random(0)
    reached = 0
    for _ in range(2):
        running = process(root, *arguments, f"--workdir={killed}")
        wait_for_step(killed / "metrics.jsonl", reached + generator.randint(40, 90), running)
        time.sleep(generator.random() * 0.05)
        running.kill()
        _, error = running.communicate()
        assert resumed_at(error) >= reached - 2 * interval
        reached = last_step(killed / "metrics.jsonl")
    last = process(root, *arguments, f"--workdir={killed}")
    _, error = last.communicate(timeout=120)
    assert last.returncode == 0, error
    assert resumed_at(error) >= reached - 2 * interval > 0
    assert summary(killed)["state_sha256"] == summary(whole)["state_sha256"]
    assert (killed / "metrics.jsonl").read_bytes() == (whole / "metrics.jsonl").read_bytes()


@pytest.mark.slow
def test_a_start_that_is_killed_at_any_moment_can_be_started_again(root, tmp_path):
    arguments = (*SMOKE, "--num_steps=4", "--eval_every=4", f"--workdir={tmp_path}/run")
    for seconds in (1.5, 3.0):
        running = process(root, *arguments)
        time.sleep(seconds)
        running.kill()
        running.communicate()
    last = process(root, *arguments)
    _, error = last.communicate(timeout=120)
    assert last.returncode == 0, error
    assert summary(tmp_path / "run")["status"] == "finished"


def resumed_at(error):
    """Returns the step at which a run resumed; 0 if it started from the beginning."""
    found = re.search(r"resuming at step (\d+)", error)
    return int(found.group(1)) if found else 0


def last_step(path):
    """Returns the last step with a complete line in the file."""
    content = path.read_text() if path.exists() else ""
    steps = re.findall(r'^{"step": (\d+), .*}\n', content, re.MULTILINE)
    return max(map(int, steps), default=0)


def wait_for_step(path, step, running):
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and running.poll() is None and last_step(path) < step:
        time.sleep(0.002)


def wait_for_lines(path, count, running):
    """Waits until the file has `count` lines or the process has ended."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and running.poll() is None:
        found = path.read_bytes().count(b"\n") if path.exists() else 0
        if found >= count:
            return found
        time.sleep(0.002)
    return count
