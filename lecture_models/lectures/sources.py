"""Holds where a lecture takes its content from: kept results, and the runs of its slides."""

from pathlib import Path
from typing import NamedTuple

from lecture_models.lectures.values import Values


class Sources(NamedTuple):
    """Holds where a lecture takes its content from.

    Attributes:
        values: reads our kept numbers.
        results: folder of the kept pictures.
        errata_file: the list of errata.
        program: the program as it was typed.
        preset: preset of the runs; "" for a page of kept results alone.
        workdir: folder of the runs.
        commit: commit of the checkout, for the page.
        failures: for runs that failed, the reason in one line, by their title.
    """

    values: Values
    results: Path
    errata_file: Path
    program: str
    preset: str
    workdir: Path
    commit: str
    failures: dict[str, str]
