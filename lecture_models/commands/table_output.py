"""Builds a table by name, and prints it or writes it to a file."""

import shutil
import sys
from collections.abc import Collection
from pathlib import Path

from lecture_models import files
from lecture_models.commands import discovery
from lecture_models.commands.flags import help_lines
from lecture_models.commands.help_page import show_flags
from lecture_models.config import UsageError
from lecture_models.tables.formats import FORMATS, markdown, terminal
from lecture_models.tables.table import Table, TableContext


def build(folder: Path, name: str, context: TableContext) -> Table:
    """Returns what `build(context)` of the table's module returns, with its title and source.

    Raises UsageError, with the nearest name, if there is no such table.
    """
    module = discovery.load(folder, name, "table")
    entry = discovery.table_entry(folder, name)
    table = module.build(context)
    return table._replace(name=name, title=entry.title, source=entry.source)


def check_output(path: Path | None, formats: Collection[str] = FORMATS) -> None:
    """Checks --output before anything is computed; None, for the terminal, is always right.

    Raises UsageError if the suffix is not one of the formats, if the file's folder does not exist,
    or if the path is a folder.
    """
    if path is None:
        return
    if path.suffix.lower() not in formats:
        raise UsageError(f"--output is {path}; its name must end in {', '.join(formats)}")
    if not path.parent.is_dir():
        raise UsageError(f"--output is {path}; the folder {path.parent} does not exist")
    if path.is_dir():
        raise UsageError(f"--output is {path}, which is a folder; name a file")


def show(folder: Path, name: str, context: TableContext, path: Path | None) -> None:
    """Writes a table in the format of the path's suffix; without a path, prints it.

    A terminal gets it as wide as it is; a file or another program gets Markdown.
    """
    table = build(folder, name, context)
    if path is None:
        width = shutil.get_terminal_size().columns
        print(terminal(table, width) if sys.stdout.isatty() else markdown(table), end="")
        return
    files.write_bytes(path, FORMATS[path.suffix.lower()](table).encode())
    context.announce(f"written: {path}")


def show_help(folder: Path, name: str) -> None:
    """Prints a table's docstring and the flags. Raises UsageError if there is no such table."""
    print(discovery.docstring(discovery.load(folder, name, "table")))
    show_flags("flags of a table", help_lines("table"))
