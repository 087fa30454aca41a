"""Tells which workers of a sweep are alive: by locks on this machine, by heartbeats elsewhere."""

import contextlib
import datetime
import fcntl
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

GRACE_INTERVALS = 3  # A worker that is silent for so many heartbeat intervals counts as dead.
STARTING_S = 60.0  # A worker must store its name in a claimed trial within this time.


class WorkerHeartbeat:
    """Holds one worker's lock file and checks those of the other workers in the same folder.

    The operating system releases a lock however its process ends. For a worker on another machine
    that shares the folder, the modification time of its lock file serves as its heartbeat.

    Attributes:
        interval_s: seconds between two heartbeats.
        name: unique name of this worker, which starts with the name of its host.
    """

    def __init__(self, folder: Path, interval_s: int):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self.interval_s = folder, interval_s
        self.host = socket.gethostname()
        self.name = f"{self.host}-{os.getpid()}-{secrets.token_hex(3)}"
        self._path = folder / f"{self.name}.lock"
        self._lock = self._path.open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def is_dead(self, worker: str) -> bool | None:
        """Tells whether a worker is dead; None if it has no file here but in another folder."""
        path = self._folder / f"{worker}.lock"
        try:
            if worker.startswith(f"{self.host}-"):
                return not _is_locked(path)
            os.utime(self._path)
            silent_s = self._path.stat().st_mtime - path.stat().st_mtime
        except FileNotFoundError:
            return None
        return silent_s > GRACE_INTERVALS * self.interval_s

    def is_start_overdue(self, started: datetime.datetime | None) -> bool:
        """Tells whether the worker that claimed a trial died before it stored its name there."""
        if started is None:
            return False
        age_s = (datetime.datetime.now() - started).total_seconds()
        return age_s > max(STARTING_S, GRACE_INTERVALS * self.interval_s)

    @contextlib.contextmanager
    def keep_alive(self, record_heartbeat: Callable[[], None]) -> Iterator[None]:
        """Records heartbeats from a thread while the block works on a trial.

        A failing heartbeat is ignored, since networks fail: one of three has to arrive.
        """
        ended = threading.Event()

        def repeat() -> None:
            while not ended.wait(self.interval_s):
                with contextlib.suppress(Exception):
                    os.utime(self._path)
                    record_heartbeat()

        record_heartbeat()
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
