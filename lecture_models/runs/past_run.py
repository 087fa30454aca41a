"""Reads a past run strictly: its record must be intact."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from lecture_models.runs.arguments import in_folder
from lecture_models.runs.json_values import as_number, as_object
from lecture_models.runs.reader import (
    CHECKPOINTS,
    CONFIG,
    RunFolderError,
    read_config,
    read_summary,
)
from lecture_models.runs.run_folders import run_folders


class PastRun(NamedTuple):
    """Holds the record of a run, whatever became of it.

    Attributes:
        folder: the run's folder.
        record: the content of config.json.
        summary: the content of summary.json; {} if the run was killed before its first summary.
    """

    folder: Path
    record: dict[str, Any]
    summary: dict[str, Any]

    @property
    def experiment(self) -> str:
        """Returns the name of the experiment."""
        return self.record["experiment"]

    @property
    def config(self) -> dict[str, Any]:
        """Returns the fields of the experiment's Config; tuples are lists."""
        return self.record["config"]

    @property
    def checkpoints(self) -> Path:
        """Returns the folder of the checkpoints."""
        return self.folder / CHECKPOINTS

    @property
    def status(self) -> str:
        """Returns how the run ended, such as "finished"; "unknown" without a summary."""
        return self.summary.get("status", "unknown")

    @property
    def resume_command(self) -> str:
        """Returns the command that continues the run in the folder where it lies now."""
        return in_folder(self.record.get("resume_command") or self.record["command"], self.folder)

    @property
    def metrics(self) -> dict[str, float]:
        """Returns the last value of each metric, by `eval/NAME` and `train/NAME`."""
        return numbers(self.summary.get("metrics"))


def numbers(metrics: Any) -> dict[str, float]:
    """Returns those of a summary's metrics that are numbers."""
    values = {name: as_number(value) for name, value in as_object(metrics).items()}
    return {name: value for name, value in values.items() if value is not None}


def read_past_run(folder: Path) -> PastRun:
    """Reads a run's folder.

    Raises RunFolderError if the folder does not exist or holds no run, or if the record or the
    summary is damaged.
    """
    if not folder.is_dir():
        raise RunFolderError(f"{folder} is not a folder; name the folder of a run")
    record = read_config(folder)
    if not record.exists:
        raise RunFolderError(f"{folder} has no {CONFIG}; name the folder of a run")
    summary = read_summary(folder)
    return PastRun(folder, record.require(), summary.require() if summary.exists else {})


def past_runs(runs_dir: Path, announce: Callable[[str], None]) -> list[PastRun]:
    """Returns every run below a folder, in the order of their paths.

    A damaged folder, or one of another program, is skipped and announced in one line.
    """
    runs = []
    for folder in run_folders(runs_dir):
        try:
            runs.append(read_past_run(folder))
        except RunFolderError as error:
            announce(f"skipped: {error}")
    return runs
