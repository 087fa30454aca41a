"""Turns Ctrl-C and SIGTERM into a question that the loop asks between steps."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator


class Interrupted(Exception):  # noqa: N818 - nothing went wrong.
    """Ends a run that a signal asked to stop, after its state was saved."""

    def __init__(self, signal_number: int):
        """Takes the number of the signal that was received."""
        super().__init__(signal.Signals(signal_number).name)
        self.signal_number = signal_number


@contextlib.contextmanager
def stop_requests() -> Iterator[Callable[[], int]]:
    """Yields a function that returns the number of the signal received so far, 0 for none.

    A second signal of the same kind has its default effect, so that the user can always stop.
    """
    received = 0

    def handle(number: int, frame: object) -> None:
        nonlocal received
        received = number
        signal.signal(number, previous[number])
        # Not `print`: a signal may arrive in the middle of one, and Python refuses to nest them.
        with contextlib.suppress(OSError):
            os.write(2, f"{signal.Signals(number).name}: saving a checkpoint\n".encode())

    handled = (signal.SIGINT, signal.SIGTERM)
    previous = {number: signal.getsignal(number) for number in handled}
    for number in handled:
        signal.signal(number, handle)
    try:
        yield lambda: received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
