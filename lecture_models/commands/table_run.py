"""`--table=NAME --run`: makes the runs that the table's trained rows want, one after the other."""

import functools
import time
from types import ModuleType
from typing import Any

from lecture_models.commands import discovery, run
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.config import UsageError
from lecture_models.data.lookup import Library
from lecture_models.runs.results import finished_runs
from lecture_models.tables import missing_runs
from lecture_models.tables.missing_runs import WantedRun
from lecture_models.tables.table import TableContext

PASSED_ON = ("data_dir", "weights_dir", "wandb")  # Flags of the table that its runs have too.


def make_missing(invocation: Invocation, name: str, context: TableContext, values: Any) -> int:
    """Says what is missing and what it costs, then runs it; 0, or the first other exit code.

    Each is an ordinary run in a folder that follows from what is run, so that the same command
    continues where this one stops. Raises UsageError for a table without trained rows, and
    DataError where the paper's data cannot be had, before any run.
    """
    cells = getattr(discovery.load(invocation.house.tables, name, "table"), "CELLS", ())
    preset, of = values.run, functools.partial(module_of, invocation)
    wishes = missing_runs.wanted(cells, preset, context.runs_dir, of)
    if not wishes:
        raise UsageError(f"--table={name} has no rows that a run would fill; leave --run out")
    runs_of = functools.cache(functools.partial(finished_runs, context.runs_dir))
    missing = missing_runs.missing(wishes, runs_of, context.runs_dir)
    announce(f"{len(wishes) - len(missing)} of {len(wishes)} runs are there")
    if not missing:
        return 0
    for line in missing_runs.cost_lines(missing, runs_of):
        announce(line)
    if preset == "paper":
        _check_data(missing, context)
    return _make(invocation, missing, values)


def module_of(invocation: Invocation, experiment: str) -> ModuleType | None:
    """None where the experiment is not in the house."""
    folder = invocation.house.experiments
    known = experiment in discovery.names(folder)
    return discovery.load(folder, experiment) if known else None


def _check_data(missing: list[WantedRun], context: TableContext) -> None:
    """Says where the data here would keep a run out of the paper's cell."""
    for name in sorted({wish.dataset for wish in missing}):
        note = Library(context.data_dir, announce).load(name).provenance.note
        if note:
            announce(f"{name} here is: {note}; such runs stand beside the paper's cells, not in it")


def _make(invocation: Invocation, missing: list[WantedRun], values: Any) -> int:
    passed = [f"--{name}={values[name].value}" for name in PASSED_ON if values[name].present]
    for number, wish in enumerate(missing, start=1):
        announce(f"run {number} of {len(missing)}: {wish.title} --seed={wish.seed}")
        began = time.perf_counter()
        mine = invocation._replace(arguments=[*wish.arguments, *passed], began=began)
        try:
            code = run.run(mine, wish.experiment)
        except KeyboardInterrupt:  # Before its first step.
            code = 130
        if code:
            announce(f"{number - 1} of {len(missing)} runs made; the same command continues")
            return code
    return 0
