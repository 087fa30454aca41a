"""Calls the launcher, in the process of the test or in a process of its own."""

import json
import subprocess
import sys

import launch

SMOKE = ("--experiment=gan_mnist", "--preset=smoke", "--wandb=disabled")


def run(*arguments):
    return launch.main(["launch.py", *arguments])


def process(root, *arguments):
    return subprocess.Popen(
        [sys.executable, "launch.py", *arguments],
        cwd=root,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def summary(folder):
    return json.loads((folder / "summary.json").read_text())
