"""Prints to a reader who may stop reading early, as `head` does."""

import contextlib
import sys
from collections.abc import Iterator

from lecture_models.training.standard_streams import discard_further_output


@contextlib.contextmanager
def until_reader_leaves() -> Iterator[None]:
    """Flushes what the block printed when the block ends; a closed pipe ends the block silently."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        discard_further_output(sys.stdout)
    except OSError:
        try:
            sys.stdout.flush()
        except OSError:  # Such as a full disk. Python flushes once more at its exit.
            discard_further_output(sys.stdout)
        raise
