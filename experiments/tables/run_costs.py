"""Lists what runs cost: wall-clock time from start to report, and steps per second.

Source: the records of the runs; `--runs_dir=results/runs` for those that are published
"""

import statistics
from pathlib import Path

from lecture_models.runs.reader import read_config
from lecture_models.runs.results import FinishedRun, finished_runs, grouped, measure
from lecture_models.runs.run_folders import run_folders
from lecture_models.tables.table import Extra, Table, TableContext, TableRow

NOTES = (
    "Wall-clock time from the first line of the program to the report. Records of commits before "
    "27 November 2026 leave out what precedes the first step: imports, data, and what is fitted "
    "to the data before.",
    "Most published runs shared two cores with up to six other jobs, so the least time is the "
    "closest to that of a quiet machine.",
)


def build(context: TableContext) -> Table:
    rows = [
        row
        for experiment in _experiments(context.runs_dir)
        for _, runs in grouped(finished_runs(context.runs_dir, experiment))
        for row in _rows(experiment, runs)
    ]
    absent = f"no finished run in {context.runs_dir}"
    return Table(tuple(rows) or (TableRow("runs", None, None, absent),), NOTES)


def _experiments(runs_dir: Path) -> list[str]:
    """Returns the names of all experiments that have runs, in the order of the alphabet."""
    names = {read_config(folder).intact.get("experiment") for folder in run_folders(runs_dir)}
    return sorted(str(name) for name in names if name)


def _rows(experiment: str, runs: list[FinishedRun]) -> list[TableRow]:
    """Returns a row for runs that differ only in their seeds; none if no time was recorded."""
    timed = [run for run in runs if run.wall_time_s is not None]
    if not timed:
        return []
    times = [run.wall_time_s for run in timed]
    measured = measure(timed, times)
    speeds = [run.steps_per_second for run in timed if run.steps_per_second]
    extras = (
        Extra("least, s", min(times), 0),
        Extra("steps/s", statistics.median(speeds) if speeds else None, 2),
    )
    label = f"{experiment}, {timed[0].name}: seconds"
    how = f"the runs {', '.join(measured.runs)}; {measured.device}"
    return [TableRow(label, None, measured, how, decimals=0, extras=extras)]
