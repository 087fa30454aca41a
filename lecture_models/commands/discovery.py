"""Finds the experiments and tables of a checkout: every module of their folder is one."""

import ast
import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from lecture_models.config import UsageError
from lecture_models.runs import renames


class ExperimentEntry(NamedTuple):
    """Holds what `--list` prints about an experiment; it comes from the module's docstring."""

    name: str
    title: str
    paper: str
    data: str
    cost: str
    expected: str


class TableEntry(NamedTuple):
    """Holds what `--list` prints about a table; it comes from the module's docstring."""

    name: str
    title: str
    source: str


def names(folder: Path) -> list[str]:
    """Returns the names of all experiments, or of all tables, in a folder."""
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def entry(folder: Path, name: str) -> ExperimentEntry:
    """Reads an experiment's docstring without importing the module, which would take seconds.

    Raises ValueError if the docstring lacks one of the lines Paper, Data, Cost and Expected.
    """
    return ExperimentEntry(name, *_facts(folder, name, ("Paper", "Data", "Cost", "Expected")))


def table_entry(folder: Path, name: str) -> TableEntry:
    """Reads a table's docstring. Raises ValueError if it lacks the line Source."""
    return TableEntry(name, *_facts(folder, name, ("Source",)))


def _facts(folder: Path, name: str, keys: tuple[str, ...]) -> list[str]:
    """Returns the title, and the docstring's lines that begin with the keys."""
    path = folder / f"{name}.py"
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    facts = {key: _fact(docstring, key) for key in keys}
    missing = [key for key, value in facts.items() if not value]
    if missing:
        raise ValueError(f"{folder.name}/{name}.py: the docstring has no line {', '.join(missing)}")
    return [docstring.partition("\n")[0], *facts.values()]


def _fact(docstring: str, key: str) -> str:
    match = re.search(rf"^{key}: (.*(?:\n +\S.*)*)", docstring, re.MULTILINE)
    return " ".join(match.group(1).split()) if match else ""


def docstring(module: ModuleType) -> str:
    """Returns a module's docstring, from its file: `python -OO` keeps none in memory."""
    return ast.get_docstring(ast.parse(inspect.getsource(module))) or ""


def load(folder: Path, name: str, kind: str = "experiment") -> ModuleType:
    """Imports the module of an experiment or a table.

    Args:
        folder: the folder of all experiments, or of all tables.
        name: the name.
        kind: "experiment" or "table", for the error message.

    Returns:
        The module.

    Raises:
        UsageError: if there is no such module, with the nearest name.
    """
    known = names(folder)
    if name not in known:
        raise UsageError(
            f"there is no {kind} {name!r}{renames.name_hint(name, known)} --list prints all names"
        )
    return importlib.import_module(f"{_package(folder)}.{name}")


def _package(folder: Path) -> str:
    is_inside = (folder.parent / "__init__.py").exists()
    return f"{_package(folder.parent)}.{folder.name}" if is_inside else folder.name
