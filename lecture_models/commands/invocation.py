"""What was typed, and where: what every command is given."""

import sys
from pathlib import Path
from typing import NamedTuple


class House(NamedTuple):
    """A checkout: where its experiments and tables are discovered."""

    root: Path

    @property
    def experiments(self) -> Path:
        return self.root / "experiments"

    @property
    def tables(self) -> Path:
        return self.experiments / "tables"


class Invocation(NamedTuple):
    """A command line; `began` is time.perf_counter() of the first line of the program."""

    house: House
    program: str
    arguments: list[str]
    began: float

    @property
    def argv(self) -> list[str]:
        return [self.program, *self.arguments]


def announce(line: str) -> None:
    """One line for the user, beside what a command prints."""
    print(line, file=sys.stderr, flush=True)


def folder(given: str | None) -> Path | None:
    return Path(given).expanduser() if given else None
