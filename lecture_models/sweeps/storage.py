"""Where a sweep's study lies: a journal in its folder, or a database for many machines."""

import fcntl
import logging
import os
import random
import re
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

from lecture_models.config import UsageError
from lecture_models.sweeps.heartbeat import SILENCE

CONNECT_LIMIT_S = 10
MOST_ATTEMPTS = 10  # At making the tables, where others make them too.
SCHEMES = ("postgresql", "postgresql+psycopg", "sqlite")


class Storage(NamedTuple):
    """`beat(trial_id)` tells a database that a trial is worked on; a journal has locks for it."""

    optuna: BaseStorage
    beat: Callable[[int], None]
    is_shared: bool  # By machines that need not share a folder.


def open_storage(url: str | None, folder: Path, beat_s: int) -> Storage:
    """Raises UsageError with one line where the database cannot be had."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if url is None:
        path = folder / "study.journal"
        backend = JournalFileBackend(str(path), lock_obj=_JournalLock(path))
        return Storage(JournalStorage(backend), lambda trial_id: None, is_shared=False)
    return _open_database(url, beat_s)


def shown(url: str | None) -> str | None:
    """Without the password, as it may be written to a file."""
    return url and re.sub(r"(://[^:@/]*):[^@/]*@", r"\1:***@", url)


def _open_database(url: str, beat_s: int) -> Storage:
    scheme = url.partition("://")[0]
    if scheme not in SCHEMES or "://" not in url:
        raise UsageError(
            f"--storage={shown(url)} is no address that is known; allowed: "
            "postgresql://USER:PASSWORD@HOST/DATABASE, sqlite:///FILE"
        )
    limits = {"connect_args": {"connect_timeout": CONNECT_LIMIT_S}, "pool_pre_ping": True}
    address = url.replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        storage = _make_tables(address, None if scheme == "sqlite" else limits, beat_s)
    except ImportError as error:
        raise UsageError(
            f"--storage={shown(url)} needs a driver: pip install -e '.[postgresql]' ({error})"
        ) from error
    except Exception as error:  # SQLAlchemy's, the driver's and Optuna's own.
        reason = " ".join(str(error).split("(Background", 1)[0].split())[:300]
        raise UsageError(f"--storage={shown(url)} cannot be reached: {reason}") from error
    return Storage(storage, storage.record_heartbeat, is_shared=True)


def _make_tables(address: str, engine: dict[str, Any] | None, beat_s: int) -> RDBStorage:
    """Of machines that start at once each makes the tables, and all but one find them made."""
    attempt = 0
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                return RDBStorage(
                    address,
                    engine_kwargs=engine,
                    heartbeat_interval=beat_s,
                    grace_period=SILENCE * beat_s,
                )
        except Exception as error:
            made = re.search("already exists|UNIQUE constraint", str(error))
            attempt += 1
            if attempt > MOST_ATTEMPTS or not made:
                raise
            time.sleep(random.uniform(0.1, 0.3) * 1.3**attempt)


class _JournalLock:
    """The system's lock, which a killed process does not hold on to; mends what it cut short."""

    def __init__(self, path: Path):
        self._path = path
        self._file = None

    def acquire(self) -> bool:
        self._file = self._path.with_suffix(".lock").open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        content = _tail(self._path)
        if content and not content.endswith(b"\n"):
            torn = len(content) - content.rfind(b"\n") - 1
            os.truncate(self._path, self._path.stat().st_size - torn)
        return True

    def release(self) -> None:
        self._file.close()


def _tail(path: Path) -> bytes:
    if not path.exists():
        return b""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 65_536))
        return file.read()
