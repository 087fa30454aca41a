"""Tests one run by two processes on one host: trained, stopped, and with one process killed."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

import launch
from lecture_models.commands.invocation import Checkout
from tests.conftest import ROOT
from tests.launch import launched
from tests.launch.launched import summary

pytestmark = pytest.mark.slow

LIMIT_S = 300  # What hangs fails, and what waits for a busy machine does not.


LAUNCH_TOY = ("-m", "tests.toy_house.launch", "--experiment=least_squares", "--wandb=disabled")


def start(root, *arguments):
    return subprocess.Popen(
        [sys.executable, *LAUNCH_TOY, *arguments],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ
        | {"XLA_FLAGS": "--xla_backend_optimization_level=0", "PYTHONPATH": str(root)},
    )


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextlib.contextmanager
def process_group(root, folder, *arguments, second=()):
    """Starts two processes of one run, and kills them at the end."""
    address = f"--coordinator=127.0.0.1:{free_port()}"
    both = [
        start(root, f"--workdir={folder}", address, "--num_processes=2", *arguments, *own)
        for own in (["--process_id=0"], ["--process_id=1", *second])
    ]
    try:
        yield both
    finally:
        for each in both:
            each.kill()
            each.communicate()


def finish(*processes):
    """Returns exit code and standard error of each process, within a time limit."""
    errors = [each.communicate(timeout=LIMIT_S)[1] for each in processes]
    return [(each.returncode, error) for each, error in zip(processes, errors, strict=True)]


def wait_for_metrics(folder, processes):
    path = folder / "metrics.jsonl"
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline and all(each.poll() is None for each in processes):
        if path.exists() and path.read_bytes().count(b"\n") > 2:
            return
        time.sleep(0.01)


def trained(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return {record["step"]: record for record in map(json.loads, lines) if "train" in record}


def assert_same_run(folder, expected):
    found, wanted = summary(folder), summary(expected)
    assert found["status"] == wanted["status"] == "finished"
    assert found["metrics"] == pytest.approx(wanted["metrics"], rel=1e-5)
    losses, expected_losses = trained(folder), trained(expected)
    assert losses.keys() == expected_losses.keys()
    for step, record in losses.items():
        assert record["train"] == pytest.approx(expected_losses[step]["train"], rel=1e-5)


def run_here(*arguments):
    """Runs the experiment in the process of the test, on its one device."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "CHECKOUT", Checkout(ROOT / "tests" / "toy_house"))
        return launched.run("--experiment=least_squares", "--wandb=disabled", *arguments)


def test_two_processes_train_as_one_and_the_leader_alone_writes(root, tmp_path):
    with process_group(root, tmp_path / "a", second=[f"--workdir={tmp_path}/b"]) as processes:
        (code, error), (second_code, second_error) = finish(*processes)
    assert (code, second_code) == (0, 0), error + second_error
    assert run_here(f"--workdir={tmp_path}/whole") == 0
    assert_same_run(tmp_path / "a", tmp_path / "whole")
    record = json.loads((tmp_path / "a" / "config.json").read_text())
    assert record["device"]["used"] == record["device"]["processes"] == 2
    assert not (tmp_path / "b").exists()
    assert second_error == ""


def test_a_signal_to_one_stops_both_and_one_process_ends_the_run(root, tmp_path, capsys):
    folder, steps = tmp_path / "run", ("--num_steps=160", "--checkpoint_every=1000")
    with process_group(root, folder, *steps, "--pause_ms=20") as processes:
        wait_for_metrics(folder, processes)
        processes[1].send_signal(signal.SIGTERM)
        (code, error), (second_code, second_error) = finish(*processes)
    assert (code, second_code) == (128 + 15, 128 + 15), error + second_error
    assert "to resume: python" in error
    found = summary(folder)
    assert found["status"] == "interrupted"
    assert [int(each.name) for each in (folder / "checkpoints").iterdir()] == [found["step"]]
    assert run_here(f"--workdir={folder}", *steps, "--pause_ms=20") == 0
    assert f"resuming at step {found['step']} in" in capsys.readouterr().err
    assert run_here(f"--workdir={tmp_path}/whole", *steps) == 0
    assert_same_run(folder, tmp_path / "whole")


def test_a_process_that_dies_ends_the_run_with_a_line_and_a_folder_that_resumes(root, tmp_path):
    folder = tmp_path / "run"
    steps = ("--num_steps=1000000", "--eval_every=100000", "--checkpoint_every=4")
    with process_group(root, folder, *steps) as processes:
        wait_for_metrics(folder, processes)
        processes[1].kill()
        ((code, error),) = finish(processes[0])
    assert code == 1
    assert "error: another process of the run is lost (" in error
    assert "to resume: python" in error
    assert "Traceback" not in error
    assert summary(folder)["status"] == "failed"
    assert [each for each in (folder / "checkpoints").iterdir() if each.name.isdigit()]


def test_processes_that_were_started_as_different_runs_end_with_a_line(root, tmp_path):
    with process_group(root, tmp_path / "run", second=["--seed=1"]) as processes:
        (code, error), (second_code, second_error) = finish(*processes)
    assert (code, second_code) == (1, 1)
    for each in (error, second_error):
        assert "error: process 1 was started with another experiment, config, data" in each


def test_a_process_that_cannot_begin_ends_the_other(root, tmp_path):
    with process_group(root, tmp_path / "run", second=["--devices=3"]) as processes:
        (code, error), (_, second_error) = finish(*processes)
    assert code == 1
    assert error == "error: process 1 could not start; see its own error message\n"
    assert second_error.startswith("error: --devices is 3; it must be from 1 to 1")


def test_a_process_that_nobody_joins_ends_with_a_line(root):
    arguments = [f"--coordinator=127.0.0.1:{free_port()}" for _ in range(2)]
    alone = [
        start(root, address, "--num_processes=2", f"--process_id={i}", "--join_timeout=1")
        for i, address in enumerate(arguments)
    ]
    for i, (code, error) in enumerate(finish(*alone)):
        assert code == 1
        assert error.startswith(f"error: process {i} waited 1 s at {arguments[i]} for all 2 ")
        assert error.count("\n") == 1
