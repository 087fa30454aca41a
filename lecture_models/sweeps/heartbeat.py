"""Who works on a sweep and is alive: by locks on this machine, by heartbeats on others."""

import contextlib
import datetime
import fcntl
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

SILENCE = 3  # Heartbeats that may be missed before a worker counts as dead.
STARTING_S = 60.0  # Until a worker that took a trial has said so.


class WorkerHeartbeat:
    """One worker's lock file, and its view of the others'; `beat_s` is between heartbeats.

    The system releases a lock however its process ends. Where a lock cannot be asked, on another
    machine that shares the folder, the file's time tells.
    """

    def __init__(self, folder: Path, beat_s: int):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self.beat_s = folder, beat_s
        self.host = socket.gethostname()
        self.name = f"{self.host}-{os.getpid()}-{secrets.token_hex(3)}"
        self._path = folder / f"{self.name}.lock"
        self._lock = self._path.open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def is_dead(self, worker: str) -> bool | None:
        """None where this folder does not know the worker: its machine has a folder of its own."""
        path = self._folder / f"{worker}.lock"
        try:
            if worker.startswith(f"{self.host}-"):
                return not _is_locked(path)
            os.utime(self._path)
            silent = self._path.stat().st_mtime - path.stat().st_mtime
        except FileNotFoundError:
            return None
        return silent > SILENCE * self.beat_s

    def is_late(self, began: datetime.datetime | None) -> bool:
        """Whether a trial was taken so long ago that whoever took it died before saying so."""
        if began is None:
            return False
        age = (datetime.datetime.now() - began).total_seconds()
        return age > max(STARTING_S, SILENCE * self.beat_s)

    @contextlib.contextmanager
    def beating(self, beat: Callable[[], None]) -> Iterator[None]:
        """Says at intervals, from a thread, that the trial of the block is being worked on.

        `beat` may fail, as a network does: what counts is that one of three arrives.
        """
        ended = threading.Event()

        def repeat() -> None:
            while not ended.wait(self.beat_s):
                with contextlib.suppress(Exception):
                    os.utime(self._path)
                    beat()

        beat()
        thread = threading.Thread(target=repeat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
        self._lock.close()


def _is_locked(path: Path) -> bool:
    with path.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
