"""Describes a command line and the checkout that it was typed in; every command receives both."""

import sys
from pathlib import Path
from typing import NamedTuple


class Checkout(NamedTuple):
    """Locates the experiments and the tables of a checkout."""

    root: Path

    @property
    def experiments(self) -> Path:
        """Returns the folder of the experiments."""
        return self.root / "experiments"

    @property
    def tables(self) -> Path:
        """Returns the folder of the tables."""
        return self.experiments / "tables"


class Invocation(NamedTuple):
    """Holds a command line.

    Attributes:
        checkout: the checkout of the program.
        program: the program as it was typed, such as `launch.py`.
        arguments: the words after the program.
        began: time.perf_counter() at the first line of the program.
        series: name of the runs that the command trains, of which this is one; "" for a run of its
            own.
    """

    checkout: Checkout
    program: str
    arguments: list[str]
    began: float
    series: str = ""

    @property
    def argv(self) -> list[str]:
        """Returns the program and its arguments."""
        return [self.program, *self.arguments]


def announce(line: str) -> None:
    """Prints a line on standard error, apart from what a command prints as its result."""
    print(line, file=sys.stderr, flush=True)
