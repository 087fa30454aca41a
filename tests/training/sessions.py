"""Runs sessions of experiments that have no file of their own."""

import contextlib
import dataclasses
import signal
from pathlib import Path

import pytest

from lecture_models.runs.folder import RunFolder
from lecture_models.training import session
from lecture_models.training.run_spec import RunSpec
from lecture_models.training.tracking_options import TrackingOptions

WITHOUT_WANDB = TrackingOptions(mode="disabled")


@dataclasses.dataclass(frozen=True)
class Config:
    seed: int = 3
    num_steps: int = 8
    log_every: int = 1
    eval_every: int = 2
    checkpoint_every: int = 2


def run_session(path, config, experiment, arguments=(), tracking=WITHOUT_WANDB):
    """Runs or resumes an experiment in a folder; returns the exit code."""
    spec = RunSpec(
        name="toy",
        title="Toy",
        preset="default",
        config=config,
        experiment=experiment,
        data=[],
        program="launch.py",
        arguments=list(arguments),
        root=Path(__file__).parents[2],
        tracking=tracking,
        process_began=0.0,
    )
    folder = RunFolder(path)
    try:
        return session.run(spec, folder)
    finally:
        folder.close()


@contextlib.contextmanager
def signals_at(step, *numbers):
    """Sends signals to this process when a line of the step is recorded."""
    append = RunFolder.append_metrics

    def append_and_send(self, record):
        append(self, record)
        if record["step"] == step and "train" in record:
            for number in numbers:
                signal.raise_signal(number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "append_metrics", append_and_send)
        yield
