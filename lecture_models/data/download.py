"""Downloads data sets through TensorFlow Datasets, without waiting for ever.

A missing network and a download that makes no progress are one-line errors.
"""

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
    """Downloads the raw files of a data set, all of them or none.

    TFDS checks the size and the SHA-256 of each file.

    Args:
        name: name of the data set, one of `tfds.URLS`.
        files: names of the files.
        folder: where they are put; it is made if it does not exist.
        announce: is called with one line when the download begins.

    Raises:
        DataAbsentError: the network cannot be reached, which is known within seconds, or the
            download makes no progress for `STALL_SECONDS`.
    """
    tfds.require_installed()
    if reason := network.unreachable(tfds.URLS[name]):
        raise DataAbsentError(f"it cannot be downloaded: {reason}")
    announce(f"downloading {name} through TensorFlow Datasets into {folder}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as temporary:
            _run_download(name, files, Path(temporary))
            _place(Path(temporary) / "ready", folder)
    except OSError as error:
        raise DataAbsentError(
            f"it cannot be downloaded into {folder}: {tfds.one_line(error)}"
        ) from error


def _run_download(name: str, files: tuple[str, ...], temporary: Path) -> None:
    # TFDS sets no time limit on a connection and its threads outlive the main one. So the download
    # runs in a process of its own, which is killed when no byte arrives any more.
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
        raise DataAbsentError(f"it cannot be downloaded: {tfds.one_line(last)}")


def _wait(process: subprocess.Popen, folder: Path) -> None:
    size, since = -1, time.monotonic()
    while process.poll() is None:
        time.sleep(0.05)
        now = _bytes_under(folder)
        if now != size:
            size, since = now, time.monotonic()
        elif time.monotonic() - since > STALL_SECONDS:
            raise DataAbsentError(
                f"it cannot be downloaded: no byte arrived for {STALL_SECONDS:g} s"
            )


def _bytes_under(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # The file was renamed meanwhile.
            total += path.stat().st_size
    return total


def _place(ready: Path, folder: Path) -> None:
    try:
        ready.rename(folder)  # Atomic if the folder is new or empty.
    except OSError:
        for path in ready.iterdir():
            path.replace(folder / path.name)
