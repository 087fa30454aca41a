"""Starts sweeps of a toy experiment, in the process of the test or in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import yaml

import launch
from lecture_models.commands.invocation import Checkout

TOY = Path(__file__).resolve().parent.parent / "toy_house"
SPEC = {
    "method": "random",
    "metric": {"name": "eval/loss", "goal": "minimize"},
    "parameters": {"x": {"min": -1.0, "max": 1.0}, "y": {"values": [0.0, 1.0]}},
    "run_cap": 3,
}


def write(folder, **changes):
    """Writes the file of a sweep with some keys replaced; None removes a key."""
    spec = {key: value for key, value in (SPEC | changes).items() if value is not None}
    path = folder / "sweep.yaml"
    path.write_text(yaml.safe_dump(spec))
    return path


def arguments(path, *more, workdir=None):
    workdir = workdir or path.parent / "sweep"
    words = ["--experiment=quadratic", "--wandb=disabled", f"--sweep={path}"]
    return [*words, f"--workdir={workdir}", *more]


def sweep(monkeypatch, path, *more, workdir=None):
    monkeypatch.setattr(launch, "CHECKOUT", Checkout(TOY))
    return launch.main(["launch.py", *arguments(path, *more, workdir=workdir)])


def process(path, *more, workdir=None):
    command = [sys.executable, str(TOY / "launch.py"), *arguments(path, *more, workdir=workdir)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=path.parent
    )


def trials(folder):
    """Returns the record of each trial of a sweep, by the name of its folder."""
    found = sorted((folder / "trials").glob("*/config.json"))
    return {path.parent.name: json.loads(path.read_text()) for path in found}
