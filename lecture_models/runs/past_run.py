"""A run that was: its record and its summary, read from its folder and checked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from lecture_models.runs.folder import RECORD_KEYS, RunFolderError
from lecture_models.runs.reader import as_number, as_object
from lecture_models.runs.results import run_folders

_TYPES = {"experiment": str, "config": dict, "data": list, "sessions": list, "command": str}
_TYPES |= {"preset": str, "started": str}


class PastRun(NamedTuple):
    """Whatever its status: one that was killed has no summary, or an old one."""

    folder: Path
    record: dict[str, Any]
    summary: dict[str, Any]

    @property
    def experiment(self) -> str:
        return self.record["experiment"]

    @property
    def config(self) -> dict[str, Any]:
        return self.record["config"]

    @property
    def status(self) -> str:
        return str(self.summary.get("status", "unknown"))

    @property
    def metrics(self) -> dict[str, float]:
        """The last of each, as `eval/NAME` and `train/NAME`."""
        numbers = {
            name: as_number(value) for name, value in as_object(self.summary.get("metrics")).items()
        }
        return {name: value for name, value in numbers.items() if value is not None}


def read_past_run(folder: Path) -> PastRun:
    """Raises RunFolderError where there is no such folder, no run in it, or a damaged record."""
    if not folder.is_dir():
        raise RunFolderError(f"{folder} is no folder; name the folder of a run")
    path = folder / "config.json"
    if not path.is_file():
        raise RunFolderError(f"{folder} has no config.json; name the folder of a run")
    record = _read(path)
    if not record.keys() >= RECORD_KEYS:
        raise RunFolderError(f"{path} is not of a run of lecture-models")
    for name, kind in _TYPES.items():
        if not isinstance(record[name], kind):
            raise RunFolderError(f"{path} is damaged: {name} is {record[name]!r}")
    for each in record["data"]:
        files = as_object(each).get("files")
        if not isinstance(files, list) or not all("sha256" in as_object(file) for file in files):
            raise RunFolderError(f"{path} is damaged: its data have no files with a SHA-256")
    summary = folder / "summary.json"
    return PastRun(folder, record, _read(summary) if summary.is_file() else {})


def past_runs(runs_dir: Path, announce: Callable[[str], None]) -> list[PastRun]:
    """Every run below a folder, in the order of their paths.

    A damaged or foreign folder is passed over with one announced line.
    """
    runs = []
    for folder in run_folders(runs_dir):
        try:
            runs.append(read_past_run(folder))
        except RunFolderError as error:
            announce(f"passed over: {error}")
    return runs


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{path} is damaged ({error})") from error
    if not isinstance(content, dict):
        raise RunFolderError(f"{path} is damaged: it holds no JSON object")
    return content
