"""Runs sessions of experiments that have no file of their own."""

from pathlib import Path

from lecture_models.runs.folder import RunFolder
from lecture_models.training import session
from lecture_models.training.run_spec import RunSpec
from lecture_models.training.tracking_options import TrackingOptions

WITHOUT_WANDB = TrackingOptions(mode="disabled")


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
