"""Ctrl-C and SIGTERM, turned into a question that the loop asks between steps."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator


class Interrupted(Exception):  # noqa: N818 - nothing went wrong.
    """The run was asked to stop, and its state is saved. `signal_number` says by what."""

    def __init__(self, signal_number: int):
        super().__init__(signal.Signals(signal_number).name)
        self.signal_number = signal_number


@contextlib.contextmanager
def stop_requests() -> Iterator[Callable[[], int]]:
    """Gives a function that returns the signal received so far, 0 for none.

    A second signal of the same kind acts as it does by default, so nobody is held here.
    """
    received = 0

    def handle(number: int, frame: object) -> None:
        nonlocal received
        received = number
        signal.signal(number, previous[number])
        # Not print: the signal may have come in the middle of one, which Python refuses to nest.
        with contextlib.suppress(OSError):
            os.write(2, f"{signal.Signals(number).name}: saving a checkpoint\n".encode())

    watched = (signal.SIGINT, signal.SIGTERM)
    previous = {number: signal.getsignal(number) for number in watched}
    for number in watched:
        signal.signal(number, handle)
    try:
        yield lambda: received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
