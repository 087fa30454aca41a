"""Tests that a run that was stopped or killed resumes with the same bits."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest

import launch
from lecture_models.commands import discovery
from lecture_models.commands.invocation import Checkout
from lecture_models.training.transaction_log import read_records
from tests.launch.launched import SMOKE, process, run, summary

TOY = ("--experiment=least_squares", "--wandb=disabled", "--pause_ms=1")


def toy_process(root, *arguments):
    """Starts an experiment that imports and compiles little."""
    return process(root, *arguments, script="tests/toy_house/launch.py")


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
def test_a_warning_of_the_batch_system_saves_although_nobody_reads_the_log(root, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    folder = tmp_path / "run"
    arguments = ["--experiment=least_squares", "--wandb=disabled", f"--workdir={folder}"]
    arguments += ["--num_steps=100000", "--pause_ms=10", "--eval_every=5", "--checkpoint_every=5"]
    running = subprocess.Popen(
        [sys.executable, "tests/toy_house/launch.py", *arguments],
        cwd=root,
        stdout=writer,
        stderr=writer,
    )
    os.close(writer)
    wait_for_lines(folder / "metrics.jsonl", 5, running)
    running.send_signal(signal.SIGUSR1)
    time.sleep(0.02)
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=60) == 128 + signal.SIGUSR1
    found = summary(folder)
    assert found["status"] == "interrupted"
    assert found["checkpoints"][-1] == found["step"] > 0


@pytest.fixture
def toys(root, monkeypatch):
    monkeypatch.setattr(launch, "CHECKOUT", Checkout(root / "tests" / "toy_house"))


def test_restart_moves_the_old_run_aside_and_is_not_repeated_by_its_record(toys, tmp_path, capsys):
    folder = tmp_path / "run"
    arguments = ("--experiment=quadratic", "--wandb=disabled", f"--workdir={folder}")
    assert run(*arguments, "--x=1.0") == 0
    (folder / "notes.txt").write_text("mine")
    assert run(*arguments) == 1
    assert "x (1.0 there, 0.0 now); name a new folder, or add --restart" in capsys.readouterr().err
    assert run(*arguments, "--restart") == 0
    assert f"the old run is now {folder}.old-1" in capsys.readouterr().err
    assert (tmp_path / "run.old-1" / "notes.txt").read_text() == "mine"
    assert summary(tmp_path / "run.old-1")["metrics"]["eval/loss"] == pytest.approx(0.49)
    record = json.loads((folder / "config.json").read_text())
    assert record["command"] == record["resume_command"]
    assert "--restart" not in record["command"]
    assert len(record["sessions"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--restart",), "--restart needs --workdir=RUN"),
        (
            ("--restart", "--seeds=2"),
            "--restart is for one run; it cannot be combined with --seeds",
        ),
    ],
)
def test_restart_is_for_one_run_that_is_named(toys, arguments, message, capsys):
    assert run("--experiment=quadratic", *arguments) == 2
    assert message in capsys.readouterr().err


def test_a_signal_before_the_first_step_is_one_line(toys, monkeypatch, capsys):
    def build(config, library):
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(discovery.load(launch.CHECKOUT.experiments, "quadratic"), "build", build)
    assert run("--experiment=quadratic") == 128 + signal.SIGTERM
    said = capsys.readouterr().err
    assert said == "error: stopped by SIGTERM\n"


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_with_the_same_bits_and_lines(toys, root, tmp_path):
    interval = 20
    arguments = (*TOY, "--num_steps=400", "--log_every=5", "--eval_every=200")
    arguments += (f"--checkpoint_every={interval}",)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert run(*arguments, f"--workdir={whole}") == 0
    generator = random.Random(0)
    reached = 0
    for _ in range(2):
        running = toy_process(root, *arguments, f"--workdir={killed}")
        wait_for_step(killed / "metrics.jsonl", reached + generator.randint(40, 90), running)
        time.sleep(generator.random() * 0.05)
        running.kill()
        _, error = running.communicate()
        assert resumed_at(error) >= reached - 2 * interval
        reached = last_step(killed / "metrics.jsonl")
    last = toy_process(root, *arguments, f"--workdir={killed}")
    _, error = last.communicate(timeout=120)
    assert last.returncode == 0, error
    assert resumed_at(error) >= reached - 2 * interval > 0
    assert summary(killed)["state_sha256"] == summary(whole)["state_sha256"]
    assert (killed / "metrics.jsonl").read_bytes() == (whole / "metrics.jsonl").read_bytes()


@pytest.mark.slow
def test_wandb_has_every_point_of_a_run_that_was_killed(root, tmp_path, monkeypatch):
    """The file is read back; what the killed process had written to it was some seconds old."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WANDB_RUN_ID", "mine1234")
    folder = tmp_path / "run"
    arguments = (*TOY, "--wandb=offline", "--wandb_artifacts", f"--workdir={folder}")
    arguments += ("--num_steps=200", "--log_every=5", "--eval_every=100", "--checkpoint_every=20")
    running = toy_process(root, *arguments)
    wait_for_step(folder / "metrics.jsonl", 100, running)
    running.kill()
    running.communicate()
    monkeypatch.setenv("WANDB_RUN_ID", "other")
    last = toy_process(root, *arguments)
    _, error = last.communicate(timeout=120)
    assert last.returncode == 0, error
    assert "run id 'mine1234' of the run's record is used, not run id 'other'" in error
    (log,) = folder.glob("wandb/offline-run-*/run-mine1234.wandb")
    records = read_tracked(log)
    assert history_of(records) == history_in(folder / "metrics.jsonl")
    (tracked,) = (record.run for record in records if record.HasField("run"))
    config = {item.key: json.loads(item.value_json) for item in tracked.config.update}
    origin = ("experiment", "preset", "command", "commit", "dirty", "num_steps")
    recorded = json.loads((folder / "config.json").read_text())
    known = recorded | (recorded["git"] or {"commit": None, "dirty": None}) | recorded["config"]
    assert {name: config[name] for name in origin} == {name: known[name] for name in origin}
    console = "".join(record.output_raw.line for record in records)
    assert f"resuming at step {resumed_at(error)}" in console
    assert any(record.stats.item for record in records)
    stored = {record.artifact.type for record in records if record.HasField("artifact")}
    assert stored == {"model", "report"}


def read_tracked(log):
    """Returns the records of a file of W&B."""
    pb2 = pytest.importorskip("wandb.proto.wandb_internal_pb2")
    return [pb2.Record.FromString(record) for record in read_records(log)]


def history_of(records):
    """Returns the values of each step in a file of W&B; the step may only stand there once."""
    steps = [record.history.step.num for record in records if record.HasField("history")]
    assert steps == sorted(set(steps))
    return {
        record.history.step.num: {
            "/".join(item.nested_key) or item.key: json.loads(item.value_json)
            for item in record.history.item
            if (item.nested_key or [item.key])[0].startswith(("train/", "eval/"))
            and len(item.nested_key) < 2
        }
        for record in records
        if record.HasField("history")
    }


def history_in(path):
    """Returns the metrics of each step in metrics.jsonl."""
    found = {}
    for line in path.read_text().splitlines():
        record = json.loads(line)
        values = found.setdefault(record["step"], {})
        for group in ("train", "eval"):
            values |= {f"{group}/{name}": value for name, value in record.get(group, {}).items()}
    return found


@pytest.mark.slow
def test_a_start_that_is_killed_at_any_moment_can_be_started_again(root, tmp_path):
    arguments = (*TOY, "--num_steps=4", "--eval_every=4", f"--workdir={tmp_path}/run")
    for seconds in (1.0, 2.0):
        running = toy_process(root, *arguments)
        time.sleep(seconds)
        running.kill()
        running.communicate()
    last = toy_process(root, *arguments)
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
