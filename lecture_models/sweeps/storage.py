"""Opens a study's storage: a journal in the sweep's folder, or a database for many machines."""

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
from lecture_models.sweeps.address import StorageAddress
from lecture_models.sweeps.heartbeat import GRACE_INTERVALS

CONNECT_LIMIT_S = 10
MOST_ATTEMPTS = 10  # To create the tables while other machines create them too.


class Storage(NamedTuple):
    """Holds Optuna's storage.

    Attributes:
        optuna: the storage itself.
        record_heartbeat: tells a database that the trial of this id is being worked on; does
            nothing for a journal, whose workers hold locks instead.
        is_shared: whether the machines need not share a folder.
    """

    optuna: BaseStorage
    record_heartbeat: Callable[[int], None]
    is_shared: bool


def open_storage(address: StorageAddress | None, folder: Path, interval_s: int) -> Storage:
    """Opens a database, or the journal in the sweep's folder if there is no address.

    `interval_s` is the time between two heartbeats. Raises UsageError with one line if the database
    cannot be reached.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if address is not None:
        return _open_database(address, interval_s)
    path = folder / "study.journal"
    backend = JournalFileBackend(str(path), lock_obj=_JournalLock(path))
    return Storage(JournalStorage(backend), lambda trial_id: None, is_shared=False)


def _open_database(address: StorageAddress, interval_s: int) -> Storage:
    if address.is_file:
        url, engine = address.reveal(), None
    else:
        url = address.reveal("postgresql+psycopg")
        engine = {"connect_args": {"connect_timeout": CONNECT_LIMIT_S}, "pool_pre_ping": True}
    try:
        storage = _create_tables(url, engine, interval_s)
    except ImportError as error:
        raise UsageError(
            f"--storage={address.shown} needs a driver: pip install -e '.[postgresql]' ({error})"
        ) from error
    except Exception as error:  # SQLAlchemy, the driver and Optuna raise types of their own.
        raise UsageError(
            f"--storage={address.shown} cannot be reached: {address.reason(error)}"
        ) from None  # The traceback may show the whole address.
    return Storage(storage, storage.record_heartbeat, is_shared=True)


def _create_tables(url: str, engine: dict[str, Any] | None, interval_s: int) -> RDBStorage:
    """Connects, creating the tables if necessary; retries if other machines create them too."""
    attempt = 0
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                return RDBStorage(
                    url,
                    engine_kwargs=engine,
                    heartbeat_interval=interval_s,
                    grace_period=GRACE_INTERVALS * interval_s,
                )
        except Exception as error:
            is_race = re.search("already exists|UNIQUE constraint", str(error))
            attempt += 1
            if attempt > MOST_ATTEMPTS or not is_race:
                raise
            time.sleep(random.uniform(0.1, 0.3) * 1.3**attempt)


class _JournalLock:
    """Locks the journal with flock, which a killed process cannot keep.

    `acquire` also removes an incomplete last line, which a killed process may have left.
    """

    def __init__(self, path: Path):
        self._path = path
        self._file = None

    def acquire(self) -> bool:
        self._file = self._path.with_suffix(".lock").open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        content = _tail(self._path)
        if content and not content.endswith(b"\n"):
            incomplete = len(content) - content.rfind(b"\n") - 1
            os.truncate(self._path, self._path.stat().st_size - incomplete)
        return True

    def release(self) -> None:
        self._file.close()


def _tail(path: Path) -> bytes:
    if not path.exists():
        return b""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 65_536))
        return file.read()
