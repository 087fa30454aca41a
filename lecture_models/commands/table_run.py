"""Trains the runs that a table lacks, one after the other: `--table=NAME --run`."""

import functools
import time
from types import ModuleType
from typing import Any

from lecture_models.commands import discovery, run
from lecture_models.commands.flags import WANDB_FLAGS, WANDB_SWITCHES
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.config import UsageError
from lecture_models.data.lookup import Library
from lecture_models.runs.results import finished_runs
from lecture_models.tables import missing_runs
from lecture_models.tables.missing_runs import WantedRun
from lecture_models.tables.table import TableContext
from lecture_models.training.interrupt import late_stop, stop_signal_of

# Flags of the table that its runs also have; a name in W&B is for one run.
PASSED_ON = ("data_dir", "weights_dir", *sorted((WANDB_FLAGS | WANDB_SWITCHES) - {"wandb_name"}))


def make_missing(invocation: Invocation, name: str, context: TableContext, values: Any) -> int:
    """Announces which runs are missing and what they cost, then trains them.

    Each is an ordinary run, in a folder that its config determines; so the same command continues
    after a stop.

    Args:
        invocation: the command line.
        name: the table.
        context: the folders of runs, data and weights.
        values: the parsed flags.

    Returns:
        0, or the exit code of the first run that did not finish.

    Raises:
        UsageError: if the table has no trained cells.
        DataError: before the first run, if the preset is "paper" and its data cannot be read.
    """
    cells = getattr(discovery.load(invocation.checkout.tables, name, "table"), "CELLS", ())
    preset = values.run
    wishes = missing_runs.wanted(
        cells, preset, context.runs_dir, functools.partial(module_of, invocation)
    )
    if not wishes:
        raise UsageError(f"--table={name} has no cells that a run would fill; remove --run")
    runs_of = functools.cache(functools.partial(finished_runs, context.runs_dir))
    missing = missing_runs.missing(wishes, runs_of, context.runs_dir)
    announce(f"{len(wishes) - len(missing)} of {len(wishes)} runs exist")
    if not missing:
        return 0
    for line in missing_runs.cost_lines(missing, runs_of):
        announce(line)
    if preset == "paper":
        _check_data(missing, context)
    return _make(invocation, missing, values)


def module_of(invocation: Invocation, experiment: str) -> ModuleType | None:
    """Returns the module of an experiment; None if this checkout does not have it."""
    folder = invocation.checkout.experiments
    known = experiment in discovery.names(folder)
    return discovery.load(folder, experiment) if known else None


def _check_data(missing: list[WantedRun], context: TableContext) -> None:
    """Announces if the data would keep a run out of the paper's cell."""
    for name in sorted({wish.dataset for wish in missing}):
        note = Library(context.data_dir, announce).load(name).provenance.note
        if note:
            announce(
                f"{name} here is: {note}; its runs get rows of their own beside the paper's cells"
            )


def _make(invocation: Invocation, missing: list[WantedRun], values: Any) -> int:
    passed = [f"--{name}={values[name].value}" for name in PASSED_ON if values[name].present]
    shared = run.part_of(values.table, invocation, values)
    late_stop()
    for number, wish in enumerate(missing, start=1):
        announce(f"run {number} of {len(missing)}: {wish.title} --seed={wish.seed}")
        began = time.perf_counter()
        one = shared._replace(arguments=[*wish.arguments, *passed], began=began)
        try:
            code = run.run(one, wish.experiment)
            if not code and (late := late_stop()):
                code = 128 + late
        except KeyboardInterrupt as stop:  # Before its first step.
            code = 128 + stop_signal_of(stop)
        if code:
            announce(f"{number - 1} of {len(missing)} runs made; the same command continues")
            return code
    return 0
