"""A run's folder: what is in it, who may write to it, and whether it is the same run."""

import contextlib
import datetime
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lecture_models import files

RECORD_KEYS = {"experiment", "config", "data", "sessions", "command", "preset", "started", "wandb"}


class RunFolderError(Exception):
    """A folder that cannot take this run: the message is one line for the user."""


def default_folder(root: Path, experiment: str) -> Path:
    """`root/experiment/time-id`, new at every call."""
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    return root / experiment / f"{now}-{secrets.token_hex(3)}"


class RunFolder:
    """One run's files; holds a lock that the system releases however the process ends.

    config.json, metrics.jsonl, images/, checkpoints/, summary.json, report.html.
    Raises RunFolderError where another process trains in it, or it cannot be written.
    """

    def __init__(self, path: Path):
        self.path = path.absolute()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = (self.path / ".lock").open("w")
            self._metrics = None
        except OSError as error:
            raise RunFolderError(f"cannot write to {path}: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise RunFolderError(f"another process is running in {path}") from error

    @property
    def images(self) -> Path:
        return self.path / "images"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    def read_config(self) -> dict[str, Any] | None:
        """The record of the run that is here, None in a new folder.

        Raises RunFolderError for a folder that holds something else, or a damaged record.
        """
        path = self.path / "config.json"
        if not path.exists():
            others = sorted(
                entry.name for entry in self.path.iterdir() if not entry.name.startswith(".")
            )
            if others:
                raise RunFolderError(
                    f"{self.path} holds files ({', '.join(others[:3])}) but no config.json; "
                    "name a new folder or one of a run"
                )
            return None
        record = self._read(path)
        if not record.keys() >= RECORD_KEYS:
            raise RunFolderError(f"{path} is not of a run of lecture-models; name a new folder")
        return record

    def read_summary(self) -> dict[str, Any]:
        path = self.path / "summary.json"
        return self._read(path) if path.exists() else {}

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            return json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise RunFolderError(f"{path} is damaged ({error}); name a new folder") from error

    def write_config(self, record: dict[str, Any]) -> None:
        self.images.mkdir(exist_ok=True)
        files.write_json(self.path / "config.json", record)

    def write_summary(self, summary: dict[str, Any]) -> None:
        files.write_json(self.path / "summary.json", summary)

    def resume_metrics(self, step: int) -> list[dict[str, Any]]:
        """The records up to a step; later ones, and half a line, are dropped from the file.

        The resumed run writes them again.
        """
        self._sweep(step)
        path = self.path / "metrics.jsonl"
        if not path.exists():
            return []
        kept = [(record, line) for record, line in _records(path) if record["step"] <= step]
        files.write_bytes(path, "".join(line for _, line in kept).encode())
        return [record for record, _ in kept]

    def _sweep(self, step: int) -> None:
        """Removes pictures of later steps, and what a kill left of files half written."""
        for path in self.images.glob("*.png"):
            if int(path.stem.rpartition("_")[2]) > step:
                path.unlink()
        for path in [*self.path.glob(".*.*"), *self.images.glob(".*.*")]:
            path.unlink()

    def append_metrics(self, record: dict[str, Any]) -> None:
        """One line of JSON, in the file when the call returns."""
        if self._metrics is None:
            self._metrics = (self.path / "metrics.jsonl").open("a", encoding="utf-8")
        self._metrics.write(json.dumps(record) + "\n")
        self._metrics.flush()

    def sync(self) -> None:
        """Metrics on the disk, so that no checkpoint is ever ahead of them."""
        if self._metrics is not None:
            os.fsync(self._metrics.fileno())

    def close(self) -> None:
        if self._metrics is not None:
            with contextlib.suppress(OSError):  # A full disk was an error at the write itself.
                self._metrics.close()
        self._lock.close()


def _records(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    for line in path.read_text("utf-8").splitlines(keepends=True):
        try:
            yield json.loads(line), line
        except ValueError:
            return  # A kill cut this line: what follows it cannot be older.


def check_same_run(recorded: dict[str, Any], present: dict[str, Any], folder: Path) -> None:
    """Raises RunFolderError, naming what differs, where the folder holds another run."""
    if recorded["experiment"] != present["experiment"]:
        raise RunFolderError(
            f"{folder} holds a run of {recorded['experiment']}, not of {present['experiment']}"
        )
    before, now = recorded["config"], present["config"]
    different = [
        f"{name} ({before.get(name)} there, {now.get(name)} now)"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]
    if different:
        raise RunFolderError(f"{folder} holds a run of another config: {', '.join(different)}")
    if data_contents(recorded["data"]) != data_contents(present["data"]):
        raise RunFolderError(
            f"{folder} was trained on other data: {_sources(recorded['data'])} there, "
            f"{_sources(present['data'])} now"
        )


def data_contents(data: list[dict[str, Any]]) -> list[Any]:
    """What was read, wherever it lay."""
    return [(each["dataset"], [file["sha256"] for file in each["files"]]) for each in data]


def _sources(data: list[dict[str, Any]]) -> str:
    return ", ".join(f"{each['dataset']} ({each['source']})" for each in data) or "none"
