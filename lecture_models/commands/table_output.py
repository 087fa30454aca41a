"""`--table`: builds a table by name, and prints it or writes it to a file."""

from collections.abc import Collection
from pathlib import Path

from lecture_models import files
from lecture_models.commands import discovery
from lecture_models.config import UsageError
from lecture_models.tables.formats import FORMATS, markdown
from lecture_models.tables.table import Table, TableContext


def build(folder: Path, name: str, context: TableContext) -> Table:
    """The table of a file's `build(context)`, with the title and source of its docstring.

    Raises UsageError, with the nearest names, where there is no such file.
    """
    module = discovery.load(folder, name, "table")
    entry = discovery.table_entry(folder, name)
    table = module.build(context)
    return table._replace(name=name, title=entry.title, source=entry.source)


def output_path(output: str | None, formats: Collection[str] = FORMATS) -> Path | None:
    """Where to write, None for the terminal.

    Raises UsageError, before anything is computed, for a suffix that is no format, a folder that
    is not there, or an output that is a folder.
    """
    if output is None:
        return None
    path = Path(output).expanduser()
    if path.suffix.lower() not in formats:
        raise UsageError(f"--output is {path}; its name must end in {', '.join(formats)}")
    if not path.parent.is_dir():
        raise UsageError(f"--output is {path}; there is no folder {path.parent}")
    if path.is_dir():
        raise UsageError(f"--output is {path}, a folder; name a file")
    return path


def show(folder: Path, name: str, context: TableContext, path: Path | None) -> None:
    """Prints Markdown, or writes in the format of the path's suffix, whole or not at all."""
    table = build(folder, name, context)
    if path is None:
        print(markdown(table), end="")
        return
    files.write_bytes(path, FORMATS[path.suffix.lower()](table).encode())
    context.announce(f"written: {path}")


def show_help(folder: Path, name: str) -> None:
    """The docstring of a table's file. Raises UsageError where there is none of this name."""
    print(discovery.load(folder, name, "table").__doc__)
