"""Keeps a closed, broken or full output from ending what the process does."""

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

_NOBODY_READS = (errno.EPIPE, errno.EIO, errno.EBADF, errno.ENXIO)


class ForgivingStream(io.TextIOBase):
    """Writes to a text stream, and drops what it refuses.

    Attributes:
        lost: whether nobody can read the stream any more, such as a closed pipe or terminal. A full
            disk may have room again.
    """

    def __init__(self, stream: TextIO):
        """Takes the stream that is written to."""
        self._stream = stream
        self.lost = False

    @property
    def encoding(self) -> str:
        """Returns the encoding of the stream."""
        return self._stream.encoding

    @property
    def errors(self) -> str | None:
        """Returns what the stream does with characters that its encoding lacks."""
        return self._stream.errors

    def isatty(self) -> bool:
        """Returns True if the stream is a terminal that is still there."""
        return not self.lost and self._stream.isatty()

    def fileno(self) -> int:
        """Returns the descriptor of the stream."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """Returns True."""
        return True

    def write(self, text: str) -> int:
        """Writes a text if the stream takes it; returns its length."""
        with self._forgiving():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flushes the stream if it can."""
        with self._forgiving():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextlib.contextmanager
    def _forgiving(self) -> Iterator[None]:
        try:
            yield
        except ValueError:  # The stream is closed.
            self.lost = True
        except OSError as error:
            if error.errno in _NOBODY_READS:
                self.lost = True
                # C++ writes to the descriptor too, and Python flushes it once more at its exit.
                discard_further_output(self._stream)


def discard_further_output(stream: TextIO) -> None:
    """Connects the descriptor of a stream to nothing, so that no later write or flush fails."""
    with contextlib.suppress(OSError, ValueError):
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, stream.fileno())
        os.close(descriptor)


@contextlib.contextmanager
def forgiving_standard_error() -> Iterator[None]:
    """Keeps a message that cannot be written to standard error from ending the block.

    Descriptors 0 to 2 that are closed are connected to nothing; otherwise the next file that is
    opened would become standard error, and messages would be written into it.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - until the process ends.
    earlier = sys.stderr
    stream = earlier or open(os.devnull, "w")  # noqa: SIM115, PTH123
    sys.stderr = ForgivingStream(stream)
    try:
        yield
    finally:
        try:
            stream.flush()
        except (OSError, ValueError):
            discard_further_output(stream)
        if earlier is not None:
            sys.stderr = earlier


def print_last_line(line: str) -> None:
    """Prints a line on standard error, or on the terminal if nobody reads that any more.

    Ctrl-C ends the `tee` that a run writes to before the run has saved and says how to resume.
    """
    print(line, file=sys.stderr, flush=True)
    if getattr(sys.stderr, "lost", False):
        with contextlib.suppress(OSError), open("/dev/tty", "w") as terminal:  # noqa: PTH123
            print(line, file=terminal)
