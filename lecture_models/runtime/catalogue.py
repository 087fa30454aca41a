"""The experiments, by discovery: every module of the folder `experiments` is one."""

import ast
import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from lecture_models.runtime.config import UsageError, did_you_mean


class Entry(NamedTuple):
    """One line of `--list`, from the docstring of an experiment's file."""

    name: str
    title: str
    paper: str
    data: str
    cost: str
    expected: str


def names(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def entry(folder: Path, name: str) -> Entry:
    """Reads the file without importing it, so that a list takes no time.

    Raises ValueError where the docstring lacks one of the four lines.
    """
    docstring = ast.get_docstring(ast.parse((folder / f"{name}.py").read_text("utf-8"))) or ""
    facts = {key: _fact(docstring, key) for key in ("Paper", "Data", "Cost", "Expected")}
    missing = [key for key, value in facts.items() if not value]
    if missing:
        raise ValueError(f"experiments/{name}.py: the docstring has no line {', '.join(missing)}")
    return Entry(name, docstring.partition("\n")[0], *facts.values())


def _fact(docstring: str, key: str) -> str:
    found = re.search(rf"^{key}: (.*(?:\n +\S.*)*)", docstring, re.MULTILINE)
    return " ".join(found.group(1).split()) if found else ""


def load(folder: Path, name: str) -> ModuleType:
    """The module of one experiment.

    Raises UsageError, with the nearest names, where there is no such file.
    """
    known = names(folder)
    if name not in known:
        raise UsageError(
            f"there is no experiment {name!r}{did_you_mean(name, known)} "
            f"Experiments: {', '.join(known)}"
        )
    return importlib.import_module(f"{folder.name}.{name}")
