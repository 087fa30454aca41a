"""Prints to a reader who may stop reading early, as `head` does."""

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def until_reader_leaves() -> Iterator[None]:
    """Flushes what the block printed when the block ends; a closed pipe ends the block silently."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at its exit, which must find an open file.
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, sys.stdout.fileno())
        os.close(descriptor)
