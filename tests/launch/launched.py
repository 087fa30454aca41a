"""Calls the launcher, in the process of the test or in a process of its own."""

import json
import subprocess
import sys

import launch
from lecture_models.training import session
from lecture_models.training.wandb_tracker import Tracker

SMOKE = ("--experiment=gan_mnist", "--preset=smoke", "--wandb=disabled")


def run(*arguments):
    return launch.main(["launch.py", *arguments])


def process(root, *arguments, script="launch.py"):
    return subprocess.Popen(
        [sys.executable, script, *arguments],
        cwd=root,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def tracked_runs(monkeypatch):
    """Replaces W&B; returns a list that gets the `TrackedAs` of each run, None if W&B is off."""
    tracked = []

    def open_tracker(mode, tracked_as, **options):
        tracked.append(tracked_as)
        return Tracker("disabled", None, lambda step, values: None, lambda *end: None)

    monkeypatch.setattr(session, "open_tracker", open_tracker)
    return tracked


def summary(folder):
    return json.loads((folder / "summary.json").read_text())
