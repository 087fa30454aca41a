"""Turns signals that ask a process to stop into a question that the loop asks between steps."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

# Ctrl-C; kill, Docker and batch systems; a terminal that closes; warnings of batch systems that the
# time is nearly over: SLURM's --signal, Grid Engine's -notify, and limits of CPU time.
STOP_SIGNALS = (
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU),
)
# A terminal, a launcher and a batch system may all pass on the same request.
SAME_REQUEST_S = 1.0
_PRESSES_TO_STOP = 3
# Signals for which the block of `stop_requests` ended as it would have without them.
_too_late: list[int] = []


class Interrupted(Exception):  # noqa: N818 - nothing went wrong.
    """Ends a run that a signal asked to stop, after its state was saved."""

    def __init__(self, signal_number: int):
        """Takes the number of the signal that was received."""
        super().__init__(signal.Signals(signal_number).name)
        self.signal_number = signal_number


class StoppedAtOnce(KeyboardInterrupt):
    """Ends what a signal asked to stop, wherever it stands, as Ctrl-C does in Python."""

    def __init__(self, signal_number: int):
        """Takes the number of the signal that was received."""
        super().__init__(signal.Signals(signal_number).name)
        self.signal_number = signal_number


def stop_signal_of(stop: KeyboardInterrupt) -> int:
    """Returns the number of the signal behind an exception."""
    return stop.signal_number if isinstance(stop, StoppedAtOnce) else signal.SIGINT


@contextlib.contextmanager
def stop_requests() -> Iterator[Callable[[], int]]:
    """Yields a function that returns the number of the first signal received, 0 for none.

    Repeated signals change nothing, so that what the first one announced is completed; only the
    third Ctrl-C raises StoppedAtOnce.
    """
    received, presses, last = 0, 0, -SAME_REQUEST_S
    _too_late.clear()

    def handle(number: int, frame: object) -> None:
        nonlocal received, presses, last
        is_new = time.monotonic() - last >= SAME_REQUEST_S
        last = time.monotonic()
        presses += is_new and number == signal.SIGINT
        if presses >= _PRESSES_TO_STOP:
            raise StoppedAtOnce(number)
        if not received:
            _write(f"{signal.Signals(number).name}: the run is saved, then it stops")
        elif is_new and number == signal.SIGINT:
            count = "once" if presses == _PRESSES_TO_STOP - 1 else "twice"
            _write(f"SIGINT: the run is still being saved; Ctrl-C {count} more stops it unsaved")
        received = received or number

    with _handled_by(handle):
        yield lambda: received
    if received:
        _too_late.append(received)


def late_stop() -> int:
    """Returns the signal that arrived when a run had only its end left, 0 for none; forgets it.

    The run has finished in spite of it; a command that trains several runs stops after it. Such a
    command also calls this before its first run, to forget what earlier ones heard.
    """
    number = _too_late[-1] if _too_late else 0
    _too_late.clear()
    return number


@contextlib.contextmanager
def stopping_at_once() -> Iterator[Callable[[], int]]:
    """Makes every signal that asks to stop raise StoppedAtOnce in the block.

    Yields a function that returns 0, as that of `stop_requests` does before the first signal.
    """

    def handle(number: int, frame: object) -> None:
        raise StoppedAtOnce(number)

    with _handled_by(handle):
        yield lambda: 0


@contextlib.contextmanager
def _handled_by(handle: Callable[[int, object], None]) -> Iterator[None]:
    """Installs a handler of the stop signals for the block, in the main thread."""
    previous = {}
    if threading.current_thread() is threading.main_thread():
        for number in STOP_SIGNALS:
            # What is ignored stays ignored, as SIGHUP under nohup. Shells also ignore SIGINT for
            # what a script starts in the background; there it can only come from `kill -INT`.
            if signal.getsignal(number) != signal.SIG_IGN or number == signal.SIGINT:
                previous[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in previous.items():
            if handler is not None:  # None: not installed from Python.
                signal.signal(number, handler)


def _write(line: str) -> None:
    # Not `print`: a signal may arrive in the middle of one, and Python refuses to nest them.
    with contextlib.suppress(OSError):
        os.write(2, f"{line}\n".encode())
