"""`--table`: a paper's or a lecture's table with ours beside it."""

from pathlib import Path

from lecture_models.commands.invocation import Invocation, announce, folder
from lecture_models.runtime import start, table_command
from lecture_models.runtime.command_flags import command_flags
from lecture_models.runtime.config import UsageError, parse
from lecture_models.runtime.printing import until_reader_leaves
from lecture_models.runtime.table import TableContext


def table(invocation: Invocation, name: str) -> int:
    """Prints the table or writes it to a file. Raises UsageError for a wrong command line."""
    values = command_flags("table")
    leftover = parse(values, invocation.argv)
    if values.experiment is not None:
        raise UsageError("--table and --experiment are two commands; give one of them")
    if leftover:
        raise UsageError(f"unexpected argument {leftover[0]!r}; flags begin with --")
    start.use_compilation_cache()
    context = TableContext(
        runs_dir=Path(values.runs_dir).expanduser(),
        weights_dir=folder(values.weights_dir),
        data_dir=folder(values.data_dir),
        announce=announce,
    )
    with until_reader_leaves():
        if values.help:
            table_command.show_help(invocation.house.tables, name)
        else:
            table_command.show(invocation.house.tables, name, context, values.output)
    return 0
