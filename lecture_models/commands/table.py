"""`--table`: a paper's or a lecture's table with ours beside it."""

from pathlib import Path

from lecture_models.commands import table_list, table_run
from lecture_models.commands.invocation import Invocation, announce, folder
from lecture_models.runtime import start, table_command
from lecture_models.runtime.command_flags import read_alone
from lecture_models.runtime.config import UsageError
from lecture_models.runtime.printing import until_reader_leaves
from lecture_models.runtime.table import TableContext

LIST = "list"


def table(invocation: Invocation, name: str) -> int:
    """Prints the table or writes it to a file, with `--run` after making what is missing.

    Returns 0, or the exit code of the run that did not finish. Raises UsageError for a wrong
    command line.
    """
    values = read_alone("table", invocation.argv)
    context = TableContext(
        runs_dir=Path(values.runs_dir).expanduser(),
        weights_dir=folder(values.weights_dir),
        data_dir=folder(values.data_dir),
        announce=announce,
    )
    if name == LIST:
        return _list(invocation, context, values)
    start.use_compilation_cache()
    tables = invocation.house.tables
    if values.help:
        with until_reader_leaves():
            table_command.show_help(tables, name)
        return 0
    path = table_command.output_path(values.output)
    if values.run is not None:
        code = table_run.make_missing(invocation, name, context, values)
        if code:
            return code
    with until_reader_leaves():
        table_command.show(tables, name, context, path)
    return 0


def _list(invocation: Invocation, context: TableContext, values) -> int:
    for flag in ("run", "output"):
        if values[flag].value is not None:
            raise UsageError(f"--{flag} is for one table; --table=list names them")
    with until_reader_leaves():
        table_list.show(invocation, context)
    return 0
