"""Downloads through TensorFlow Datasets that end: no network and no progress are short errors."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lecture_models.data import network, tfds
from lecture_models.data.dataset import DataAbsentError

STALL_SECONDS = 30.0


def download(
    name: str, files: tuple[str, ...], folder: Path, announce: Callable[[str], None]
) -> None:
    """Downloads the raw files of a data set into `folder`, all of them or none.

    TFDS checks size and SHA-256. Raises DataAbsentError, within seconds where there is no network,
    and where the download stands still for `STALL_SECONDS`.
    """
    tfds.require_installed()
    if reason := network.unreachable(tfds.URLS[name]):
        raise DataAbsentError(f"no download: {reason}")
    announce(f"downloading {name} through TensorFlow Datasets into {folder}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as temporary:
            _run_download(name, files, Path(temporary))
            _place(Path(temporary) / "ready", folder)
    except OSError as error:
        raise DataAbsentError(f"no download into {folder}: {tfds.one_line(error)}") from error


def _run_download(name: str, files: tuple[str, ...], temporary: Path) -> None:
    # TFDS sets no time limit on a connection and its threads outlive the main one, so the
    # download is a process of its own, ended when no byte arrives any more.
    root = str(Path(__file__).parents[2])
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    }
    log_path = temporary / "log"
    with log_path.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "lecture_models.data.tfds", name, str(temporary), *files],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            _wait(process, temporary)
        finally:
            process.kill()
            process.wait()
    if process.returncode != 0:
        lines = log_path.read_text(errors="replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "no message")
        raise DataAbsentError(f"no download: {tfds.one_line(last)}")


def _wait(process: subprocess.Popen, folder: Path) -> None:
    size, since = -1, time.monotonic()
    while process.poll() is None:
        time.sleep(0.05)
        now = _bytes_under(folder)
        if now != size:
            size, since = now, time.monotonic()
        elif time.monotonic() - since > STALL_SECONDS:
            raise DataAbsentError(f"no download: it stood still for {STALL_SECONDS:g} s")


def _bytes_under(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # Renamed in between.
            total += path.stat().st_size
    return total


def _place(ready: Path, folder: Path) -> None:
    try:
        ready.rename(folder)  # One step where the folder is new or empty.
    except OSError:
        for path in ready.iterdir():
            path.replace(folder / path.name)
