"""Shows a published table beside this project's results: `--table`."""

from typing import Any

from lecture_models.commands import table_list, table_output, table_run
from lecture_models.commands.flags import read_alone
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.config import UsageError
from lecture_models.tables.table import TableContext
from lecture_models.training import process_setup
from lecture_models.training.printing import until_reader_leaves

LIST = "list"
TRAINED = "trained"


def table(invocation: Invocation, name: str) -> int:
    """Prints a table, or writes it to a file; with `--run`, trains the missing runs first.

    Returns 0, or the exit code of the run that did not finish. Raises UsageError for a wrong
    command line.
    """
    values = read_alone("table", invocation.argv)
    context = TableContext(
        runs_dir=values.runs_dir,
        weights_dir=values.weights_dir,
        data_dir=values.data_dir,
        announce=announce,
    )
    if name == LIST:
        return _list(invocation, context, values)
    process_setup.use_compilation_cache()
    tables = invocation.checkout.tables
    if values.help:
        with until_reader_leaves():
            table_output.show_help(tables, name)
        return 0
    if name == TRAINED:
        return _trained(invocation, context, values)
    table_output.check_output(values.output)
    if values.run is not None:
        code = table_run.make_missing(invocation, name, context, values)
        if code:
            return code
    with until_reader_leaves():
        table_output.show(tables, name, context, values.output)
    return 0


def _list(invocation: Invocation, context: TableContext, values: Any) -> int:
    for flag in ("run", "output"):
        if values[flag].value is not None:
            raise UsageError(f"--{flag} needs the name of one table; --table=list prints the names")
    with until_reader_leaves():
        table_list.show(invocation, context)
    return 0


def _trained(invocation: Invocation, context: TableContext, values: Any) -> int:
    if values.run is not None:
        raise UsageError("--run needs the name of one table; --table=list prints the names")
    folder = values.output
    if folder is None or not folder.is_dir():
        found = "not given" if folder is None else f"{folder}, which is not a folder"
        raise UsageError(f"--output is {found}; with --table=trained it must be a folder")
    tables = invocation.checkout.tables
    for name in table_list.with_trained_cells(tables):
        table_output.show(tables, name, context, folder / f"{name}.md")
    return 0
