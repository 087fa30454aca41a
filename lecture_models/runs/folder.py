"""Holds the folder of a run while a process writes to it, and decides whether a run may resume."""

import contextlib
import datetime
import fcntl
import os
import secrets
from pathlib import Path
from typing import Any

from lecture_models import files
from lecture_models.runs import artifacts
from lecture_models.runs.reader import (
    CONFIG,
    METRICS,
    SUMMARY,
    RecordFile,
    RunFolderError,
    read_config,
    read_metrics,
    read_summary,
)


def default_folder(root: Path, experiment: str) -> Path:
    """Returns `root/experiment/TIME-ID`, a new path at every call."""
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    return root / experiment / f"{now}-{secrets.token_hex(3)}"


class RunFolder:
    """Writes the files of one run, and holds a lock that ends with the process.

    The folder has config.json, metrics.jsonl, summary.json, report.html, checkpoints/ and the
    folders of `artifacts`. Raises RunFolderError if another process holds the lock, or if the
    folder cannot be written.
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
        """Returns the folder of the images."""
        return self.path / artifacts.IMAGES.folder

    @property
    def checkpoints(self) -> Path:
        """Returns the folder of the checkpoints."""
        return self.path / "checkpoints"

    def read_config(self) -> dict[str, Any] | None:
        """Returns the record of the run in the folder, None in a new folder.

        Raises RunFolderError if the record is damaged or the folder holds something else.
        """
        record = read_config(self.path)
        if record.exists:
            return _require(record)
        others = sorted(
            entry.name for entry in self.path.iterdir() if not entry.name.startswith(".")
        )
        if others:
            raise RunFolderError(
                f"{self.path} holds files ({', '.join(others[:3])}) but no {CONFIG}; "
                "name a new folder, or the folder of a run"
            )
        return None

    def read_summary(self) -> dict[str, Any]:
        """Returns the run's last summary, {} if there is none.

        Raises RunFolderError if it is damaged.
        """
        summary = read_summary(self.path)
        return _require(summary) if summary.exists else {}

    def write_config(self, record: dict[str, Any]) -> None:
        """Writes the record of the run."""
        self.images.mkdir(exist_ok=True)
        files.write_json(self.path / CONFIG, record)

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Writes how far the run came, and its last metrics."""
        files.write_json(self.path / SUMMARY, summary)

    def resume_metrics(self, step: int) -> list[dict[str, Any]]:
        """Returns the records of metrics up to a step.

        Later records and damaged lines are removed from the file, and artifacts of later steps
        from the folder; the resumed run writes them again. Raises RunFolderError if the file cannot
        be read.
        """
        self._remove_later(step)
        metrics = read_metrics(self.path).require()
        kept = [
            (record, line)
            for record, line in zip(metrics.records, metrics.lines, strict=True)
            if record["step"] <= step
        ]
        if metrics.path.exists():
            files.write_bytes(metrics.path, b"".join(line + b"\n" for _, line in kept))
        return [record for record, _ in kept]

    def _remove_later(self, step: int) -> None:
        for path in artifacts.artifacts_after(self.path, step):
            path.unlink()
        for path in [*self.path.glob(".*.*"), *artifacts.half_written(self.path)]:
            path.unlink()

    def append_metrics(self, record: dict[str, Any]) -> None:
        """Appends one line of JSON, which is in the file when the call returns."""
        if self._metrics is None:
            self._metrics = (self.path / METRICS).open(
                "a", encoding="utf-8", errors="backslashreplace"
            )
        self._metrics.write(files.json_text(record) + "\n")
        self._metrics.flush()

    def sync(self) -> None:
        """Writes the metrics to the disk, so that no checkpoint is ever ahead of them."""
        if self._metrics is not None:
            os.fsync(self._metrics.fileno())

    def close(self) -> None:
        """Closes the metrics and releases the lock."""
        if self._metrics is not None:
            with contextlib.suppress(OSError):  # A full disk was an error at the write itself.
                self._metrics.close()
        self._lock.close()


def _require(record: RecordFile) -> dict[str, Any]:
    try:
        return record.require()
    except RunFolderError as error:
        raise RunFolderError(f"{error}; name a new folder") from error


def check_same_run(recorded: dict[str, Any], present: dict[str, Any], folder: Path) -> None:
    """Raises RunFolderError, naming the differences, if the folder holds another run.

    Args:
        recorded: the record in the folder.
        present: the record of the run that is about to start; `experiment`, `config` and `data`
            are compared.
        folder: the folder, for the message.
    """
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
        raise RunFolderError(f"{folder} holds a run with another config: {', '.join(different)}")
    if data_contents(recorded["data"]) != data_contents(present["data"]):
        raise RunFolderError(
            f"{folder} holds a run on other data: {_sources(recorded['data'])} there, "
            f"{_sources(present['data'])} now"
        )


def data_contents(data: list[dict[str, Any]]) -> list[Any]:
    """Returns the data sets and the hashes of their files, without the paths of the files."""
    return [(source["dataset"], [file["sha256"] for file in source["files"]]) for source in data]


def _sources(data: list[dict[str, Any]]) -> str:
    return ", ".join(f"{source['dataset']} ({source.get('source')})" for source in data) or "none"
