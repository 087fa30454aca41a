"""Experiments and tables by discovery: every module of their folder is one."""

import ast
import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from lecture_models.config import UsageError, did_you_mean


class Entry(NamedTuple):
    """One line of `--list`, from the docstring of an experiment's file."""

    name: str
    title: str
    paper: str
    data: str
    cost: str
    expected: str


class TableEntry(NamedTuple):
    """One line of `--list`, from the docstring of a table's file."""

    name: str
    title: str
    source: str


def names(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def entry(folder: Path, name: str) -> Entry:
    """Reads the file without importing it, so that a list takes no time.

    Raises ValueError where the docstring lacks one of the four lines.
    """
    return Entry(name, *_facts(folder, name, ("Paper", "Data", "Cost", "Expected")))


def table_entry(folder: Path, name: str) -> TableEntry:
    """As `entry`, for a table's file, whose docstring has the line Source."""
    return TableEntry(name, *_facts(folder, name, ("Source",)))


def _facts(folder: Path, name: str, keys: tuple[str, ...]) -> list[str]:
    """The title, and the docstring's lines that begin with the keys."""
    path = folder / f"{name}.py"
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    facts = {key: _fact(docstring, key) for key in keys}
    missing = [key for key, value in facts.items() if not value]
    if missing:
        raise ValueError(f"{folder.name}/{name}.py: the docstring has no line {', '.join(missing)}")
    return [docstring.partition("\n")[0], *facts.values()]


def _fact(docstring: str, key: str) -> str:
    found = re.search(rf"^{key}: (.*(?:\n +\S.*)*)", docstring, re.MULTILINE)
    return " ".join(found.group(1).split()) if found else ""


def load(folder: Path, name: str, kind: str = "experiment") -> ModuleType:
    """The module of one experiment, or one table.

    Raises UsageError, with the nearest names, where there is no such file.
    """
    known = names(folder)
    if name not in known:
        raise UsageError(
            f"there is no {kind} {name!r}{did_you_mean(name, known)} "
            f"{kind.capitalize()}s: {', '.join(known)}"
        )
    return importlib.import_module(f"{_package(folder)}.{name}")


def _package(folder: Path) -> str:
    inside = (folder.parent / "__init__.py").exists()
    return f"{_package(folder.parent)}.{folder.name}" if inside else folder.name
