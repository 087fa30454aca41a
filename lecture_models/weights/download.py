"""Downloads a file from a public hub: resumes where it was cut off, and verifies its SHA-256."""

import contextlib
import errno
import fcntl
import hashlib
import http.client
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from lecture_models.data import network
from lecture_models.weights.error import WeightsError

STALL_SECONDS = 30.0
PLAIN_INTERVAL_S = 10.0
_CHUNK = 1 << 20
_ATTEMPTS = 2  # After so many connections in a row without a byte it gives up.

Announce = Callable[[str], None]


def download(url: str, path: Path, sha256: str, announce: Announce) -> None:
    """Downloads a file, so that it is complete or missing at every moment.

    The part that an earlier attempt received is kept beside it, and only the rest is requested.

    Args:
        url: address of the file.
        path: where it is put; its folder is made if it does not exist.
        sha256: SHA-256 that it must have.
        announce: is called with one line when the download begins, and with its progress if the
            error stream is not a terminal.

    Raises:
        WeightsError: the network cannot be reached, which is known within seconds; nothing arrives
            for `STALL_SECONDS`; or the file has another SHA-256.
    """
    if reason := network.unreachable(url):
        raise WeightsError(f"{path.name} cannot be downloaded: {reason}")
    announce(f"downloading {url} into {path.parent}")
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("a+b") as file:
            _lock(file, path)
            resumed = _size(file) > 0
            actual = _fetch(url, file, path.name, announce)
            if actual != sha256 and resumed:
                announce(f"{path.name}: the part that was kept does not fit; downloading it again")
                file.truncate(0)
                actual = _fetch(url, file, path.name, announce)
            if actual != sha256:
                part.unlink()
                raise WeightsError(
                    f"{path.name} cannot be downloaded: {url} has SHA-256 {actual}; it must be "
                    f"{sha256}"
                )
            os.fsync(file.fileno())
            part.replace(path)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            part.unlink(missing_ok=True)
        raise WeightsError(
            f"{path.name} cannot be downloaded into {path.parent}: {_line(error)}"
        ) from error


def _lock(file: BinaryIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise WeightsError(f"another process is downloading {path.name} right now") from error


def _size(file: BinaryIO) -> int:
    file.flush()
    return os.fstat(file.fileno()).st_size


def _fetch(url: str, file: BinaryIO, name: str, announce: Announce) -> str:
    """Appends the missing part of the file, and returns the SHA-256 of the whole."""
    idle, total = 0, None
    with _progress(name, announce) as show:
        while total is None or _size(file) < total:
            before = _size(file)
            try:
                total = _receive(url, file, show)
                reason = "the connection was cut"
            except TimeoutError:
                reason = f"nothing arrived for {STALL_SECONDS:g} s"
            except (urllib.error.URLError, http.client.HTTPException, ConnectionError) as error:
                if isinstance(error, urllib.error.HTTPError) and error.code < 500:
                    raise WeightsError(
                        f"{name} cannot be downloaded: {url}: {_line(error)}"
                    ) from error
                reason = _line(error)
            idle = 0 if _size(file) > before else idle + 1
            if (total is None or _size(file) < total) and idle >= _ATTEMPTS:
                kept = f"; {_size(file) / 1e6:,.1f} MB are kept, and the same command resumes there"
                raise WeightsError(
                    f"{name} cannot be downloaded: {reason}{kept * (_size(file) > 0)}"
                )
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def _receive(url: str, file: BinaryIO, show: Callable[[int, int], None]) -> int:
    """Appends the bytes of one connection, and returns the length of the whole file."""
    have = _size(file)
    request = urllib.request.Request(url, headers={"User-Agent": "lecture-models"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        response = urllib.request.urlopen(request, timeout=STALL_SECONDS)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 416:
            raise
        return have  # The file has all bytes; its SHA-256 is checked later.
    with response:
        span = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        if response.status == 206 and span and int(span[1]) == have:
            total = int(span[2])
        else:  # The server sends the whole file, because it does not know ranges.
            file.truncate(0)
            have = 0
            total = int(response.headers.get("Content-Length") or 0)
            if not total:
                raise ConnectionError("the server does not state the length of the file")
        while have < total and (chunk := response.read1(min(_CHUNK, total - have))):
            file.write(chunk)
            have += len(chunk)
            show(have, total)
    return total


@contextlib.contextmanager
def _progress(name: str, announce: Announce) -> Iterator[Callable[[int, int], None]]:
    """Shows a bar on a terminal, and otherwise a line every `PLAIN_INTERVAL_S`."""
    if not sys.stderr.isatty():
        yield _lines(name, announce)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.progress import TransferSpeedColumn as Speed

    columns = (TextColumn(name), BarColumn(), DownloadColumn(), Speed(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None)
        yield lambda have, total: bar.update(task, completed=have, total=total)


def _lines(name: str, announce: Announce) -> Callable[[int, int], None]:
    last = time.monotonic()

    def show(have: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= PLAIN_INTERVAL_S:
            last = time.monotonic()
            announce(f"{name}: {have / 1e6:,.0f} of {total / 1e6:,.0f} MB")

    return show


def _line(error: Exception) -> str:
    message = getattr(error, "strerror", None) or str(getattr(error, "reason", "") or error)
    code = f"HTTP {error.code} " if isinstance(error, urllib.error.HTTPError) else ""
    return " ".join(f"{code}{message or type(error).__name__}".split())[:200]
