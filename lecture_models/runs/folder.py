"""Holds the folder of a run while a process writes to it, and decides whether a run may resume."""

import contextlib
import datetime
import fcntl
import itertools
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lecture_models import files
from lecture_models.runs import artifacts
from lecture_models.runs.reader import (
    CHECKPOINTS,
    CONFIG,
    METRICS,
    REPORT,
    SUMMARY,
    RecordFile,
    RunFolderError,
    read_config,
    read_metrics,
    read_summary,
)

# In the folder of a whole checkpoint; `training/checkpoint.py` writes it.
CHECKPOINT_DIGEST = "digest"
ANOTHER_FOLDER = "name a new folder, or add --restart, which moves the old run aside"


def default_folder(root: Path, experiment: str) -> Path:
    """Returns `root/experiment/TIME-ID`, a new path at every call."""
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    return root / experiment / f"{now}-{secrets.token_hex(3)}"


class RunFolder:
    """Writes the files of one run, and holds a lock that ends with the process.

    The folder has config.json, metrics.jsonl, summary.json, report.html, checkpoints/ and the
    folders of `artifacts`. All other files in it, and in these folders, belong to the user: they
    are neither read nor removed. Raises RunFolderError if another process holds the lock, or if the
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
        return self.path / CHECKPOINTS

    def saved_steps(self) -> list[int]:
        """Returns the steps that have a whole checkpoint, in order."""
        return saved_steps(self.checkpoints)

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
        """Writes the record of the run. Raises RunFolderError if something is in its way."""
        try:
            self.images.mkdir(exist_ok=True)
            files.write_json(self.path / CONFIG, record)
        except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
            path = error.filename2 or error.filename
            raise RunFolderError(f"{path} is in the way: {error.strerror}; rename it") from error

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Writes how far the run came, and its last metrics."""
        files.write_json(self.path / SUMMARY, summary)

    def resume_metrics(
        self, step: int, announce: Callable[[str], None] = lambda line: None
    ) -> list[dict[str, Any]]:
        """Returns the records of metrics up to a step.

        Later records are removed from the file, and the artifacts that they name from the folder;
        the resumed run writes them again.

        Args:
            step: the step at which the run resumes.
            announce: takes one line for the user, if damaged lines are removed.

        Raises:
            RunFolderError: the file cannot be read.
        """
        metrics = read_metrics(self.path).require()
        is_kept = [record["step"] <= step for record in metrics.records]
        kept = list(itertools.compress(metrics.records, is_kept))
        self._remove_later_artifacts(metrics.records, kept)
        if metrics.num_damaged:
            lines = "line" if metrics.num_damaged == 1 else "lines"
            announce(f"{metrics.path}: {metrics.num_damaged} damaged {lines} removed")
        if metrics.path.exists():
            lines = itertools.compress(metrics.lines, is_kept)
            files.write_bytes(metrics.path, b"".join(line + b"\n" for line in lines))
        return kept

    def _remove_later_artifacts(self, records: list[Any], kept: list[Any]) -> None:
        """Removes what the records name and the kept ones do not, whole or half-written."""
        recorded, remaining = (
            {file for record in some for file in artifacts.recorded_files(record).values()}
            for some in (records, kept)
        )
        for path in (self.path / file for file in recorded - remaining):
            if path.is_file():
                path.unlink()
        written = (*recorded, CONFIG, METRICS, SUMMARY, REPORT)
        for path in files.partial_files(self.path / name for name in written):
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


def saved_steps(checkpoints: Path) -> list[int]:
    """Returns the steps of the whole checkpoints in a folder, in order; [] if there is no folder.

    Folders of the user beside them are skipped.
    """
    if not checkpoints.is_dir():
        return []
    names = [path.name for path in checkpoints.iterdir() if (path / CHECKPOINT_DIGEST).is_dir()]
    return sorted(int(name) for name in names if name.isascii() and name.isdecimal())


def move_aside(path: Path) -> Path | None:
    """Renames the folder of a run to a new name beside it.

    Returns:
        The new name; None if the folder is new.

    Raises:
        RunFolderError: another process is running in it, it is not the folder of a run, or it
            cannot be renamed.
    """
    if not path.exists():
        return None
    with contextlib.closing(RunFolder(path)) as folder:
        record = read_config(folder.path)
        if not record.damage and folder.read_config() is None:
            return None
        if record.is_foreign:
            raise RunFolderError(f"{record.path} {record.damage}")
        place = path.resolve()  # What a link leads to; the link itself stays.
        aside = next(
            name
            for number in itertools.count(1)
            if not (name := place.with_name(f"{place.name}.old-{number}")).exists()
        )
        try:
            place.rename(aside)
        except OSError as error:
            raise RunFolderError(f"cannot rename {place} to {aside}: {error.strerror}") from error
        return aside


def _require(record: RecordFile) -> dict[str, Any]:
    try:
        return record.require()
    except RunFolderError as error:
        raise RunFolderError(f"{error}; {ANOTHER_FOLDER}") from error


def check_same_run(
    recorded: dict[str, Any],
    present: dict[str, Any],
    folder: Path,
    defaults: Mapping[str, Any] | None = None,
    changeable: frozenset[str] = frozenset(),
) -> None:
    """Raises RunFolderError, naming the differences, if the folder holds another run.

    Args:
        recorded: the record in the folder.
        present: the record of the run that is about to start; `experiment`, `config` and `data`
            are compared.
        folder: the folder, for the message.
        defaults: the defaults of the Config's fields. A field that the record lacks is newer than
            the run, which therefore had its default.
        changeable: the fields that may differ.
    """
    if recorded["experiment"] != present["experiment"]:
        raise RunFolderError(
            f"{folder} holds a run of {recorded['experiment']}, not of {present['experiment']}; "
            f"{ANOTHER_FOLDER}"
        )
    before, now = recorded["config"], present["config"]
    different = [
        _changed(name, before, now, defaults or {})
        for name in sorted((before.keys() | now.keys()) - changeable)
        if (before if name in before else defaults or {}).get(name) != now.get(name)
    ]
    if different:
        raise RunFolderError(
            f"{folder} holds a run with another config: {', '.join(different)}; {ANOTHER_FOLDER}"
        )
    if data_contents(recorded["data"]) != data_contents(present["data"]):
        raise RunFolderError(
            f"{folder} holds a run on other data: {_sources(recorded['data'])} there, "
            f"{_sources(present['data'])} now; {ANOTHER_FOLDER}"
        )


def _changed(
    name: str, before: Mapping[str, Any], now: Mapping[str, Any], defaults: Mapping[str, Any]
) -> str:
    if name not in now:
        return f"{name} ({before[name]} there, which is not a field any more)"
    if name in before:
        return f"{name} ({before[name]} there, {now[name]} now)"
    default = f", so its default {defaults[name]} counts" if name in defaults else ""
    return f"{name} (not recorded there{default}, {now[name]} now)"


def data_contents(data: list[dict[str, Any]]) -> list[Any]:
    """Returns the data sets and the hashes of their files, without the paths of the files."""
    return [(source["dataset"], [file["sha256"] for file in source["files"]]) for source in data]


def _sources(data: list[dict[str, Any]]) -> str:
    return ", ".join(f"{source['dataset']} ({source.get('source')})" for source in data) or "none"
