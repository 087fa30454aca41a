"""Stochastic depth, Table 2: training time with stochastic depth relative to constant depth.

Source: Huang et al., 2016, Table 2, as Li, Deep Learning 2, Stochastic Depth, prints it
"""

import statistics
from collections.abc import Iterator
from typing import Any

from experiments.tables.stochastic_depth_schedule import HOURS, minutes
from experiments.tables.stochastic_depth_table1 import CONSTANT, GRID, STOCHASTIC
from lecture_models.runs.results import FinishedRun, Measurement, finished_runs, grouped
from lecture_models.tables import trained_rows
from lecture_models.tables.table import PublishedValue, Table, TableContext, TableRow
from lecture_models.tables.trained_cells import IGNORED_FIELDS, belongs, departures

SOURCE = "Huang et al., Table 2, as Li, Deep Learning 2, Stochastic Depth, prints it"
CELLS = tuple(GRID.cell(method, "CIFAR10+") for method in (CONSTANT, STOCHASTIC))


def build(context: TableContext) -> Table:
    rows = []
    for data in HOURS:
        label = f"{data}: training time, stochastic / constant depth"
        ratios = list(_ratios(label, _printed(data), context)) if data == "CIFAR10+" else []
        if all(row.gap for row in ratios):
            absent = "no pairs of runs of three seeds with the paper's recipe on an accelerator"
            if data != "CIFAR10+":
                absent = f"no experiment here has {data.rstrip('+')}"
            rows.append(TableRow(label, _printed(data), None, absent, better="less"))
        rows += ratios
    notes = (
        "Ours is the time of a step with stochastic depth divided by that of a run of the same "
        "seed and config without it; the paper's is the ratio of the printed hours.",
        "On a CPU a dropped block is computed and masked, because a branch would cost more there. "
        "Such runs have a row of their own.",
    )
    return Table(tuple(rows), notes)


def _printed(data: str) -> PublishedValue:
    constant, stochastic = HOURS[data]
    ratio = minutes(stochastic) / minutes(constant)
    half_width = (0.5 + 0.5 * ratio) / minutes(constant)  # Both times are rounded to a minute.
    return PublishedValue(f"{stochastic} / {constant}", SOURCE, ratio, half_width)


def _ratios(label: str, printed: PublishedValue, context: TableContext) -> Iterator[TableRow]:
    """Yields a row for each config that was run both with and without stochastic depth."""
    runs = finished_runs(context.runs_dir, "resnet_cifar10")
    timed = [run for run in runs if run.steps_per_second]
    for config, members in grouped(timed, IGNORED_FIELDS | {"final_survival"}):
        baseline, dropping = (
            [run for run in members if belongs(cell, run.config)] for cell in CELLS
        )
        constant = {run.config["seed"]: run for run in baseline}
        for survival in sorted({run.config["final_survival"] for run in dropping}):
            stochastic = {
                run.config["seed"]: run
                for run in dropping
                if run.config["final_survival"] == survival
            }
            pairs = [
                (constant[seed], stochastic[seed]) for seed in sorted(constant.keys() & stochastic)
            ]
            if pairs:
                yield _row(label, printed, config | {"final_survival": survival}, pairs)


def _row(
    label: str,
    printed: PublishedValue,
    config: dict[str, Any],
    pairs: list[tuple[FinishedRun, FinishedRun]],
) -> TableRow:
    values = [constant.steps_per_second / dropped.steps_per_second for constant, dropped in pairs]
    first = pairs[0][1]
    ours = Measurement(
        mean=statistics.fmean(values),
        std=statistics.stdev(values) if len(values) > 1 else None,
        count=len(values),
        runs=tuple(run.name for pair in pairs for run in pair),
        preset=first.preset,
        data=first.data,
        note=first.note,
        device=first.device,
    )
    differences = departures(CELLS[1], trained_rows.module_of("resnet_cifar10"), config, ours)
    differences += ["on a CPU"] * (first.platform == "cpu")
    how = f"pairs of the runs {', '.join(ours.runs)}; {ours.data}; {ours.device}"
    label = f"{label}: {', '.join(differences)}" if differences else label
    return TableRow(label, printed, ours, how, better="less", gap=bool(differences), decimals=3)
