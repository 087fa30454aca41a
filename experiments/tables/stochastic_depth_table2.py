"""Stochastic depth's Table 2: training time, as the ratio of stochastic over constant depth.

Source: Huang et al., 2016, Table 2, as Li, Deep Learning 2, Stochastic Depth, prints it
"""

import statistics
from collections.abc import Iterator
from typing import Any

from experiments.tables.stochastic_depth_schedule import HOURS, minutes
from experiments.tables.stochastic_depth_table1 import CONSTANT, GRID, STOCHASTIC
from lecture_models.runs.results import Measurement, Run, finished_runs, grouped
from lecture_models.tables import trained_rows
from lecture_models.tables.table import Published, Row, Table, TableContext
from lecture_models.tables.trained_cells import APART, belongs, departures

SOURCE = "Huang et al., Table 2, as Li, Deep Learning 2, Stochastic Depth, prints it"
CELLS = tuple(GRID.cell(method, "CIFAR10+") for method in (CONSTANT, STOCHASTIC))


def build(context: TableContext) -> Table:
    rows = []
    for data in HOURS:
        what = f"{data}: training time, stochastic over constant depth"
        found = list(_ratios(what, _printed(data), context)) if data == "CIFAR10+" else []
        if all(row.gap for row in found):
            absent = "no pair of three seeds with the paper's recipe on an accelerator"
            if data != "CIFAR10+":
                absent = f"{data.rstrip('+')} is not in this house"
            rows.append(Row(what, _printed(data), None, absent, better="less"))
        rows += found
    notes = (
        "Ours is the time of a step with stochastic depth over that of a run of the same seed and "
        "config without it, from the steps a second of each; the paper's, of the hours printed.",
        "On a CPU a block that is dropped is computed all the same, and its result masked: a "
        "branch would cost more there. It stands beside the cell.",
    )
    return Table(tuple(rows), notes)


def _printed(data: str) -> Published:
    constant, stochastic = HOURS[data]
    ratio = minutes(stochastic) / minutes(constant)
    half_width = (0.5 + 0.5 * ratio) / minutes(constant)  # Each is rounded to a minute.
    return Published(f"{stochastic} / {constant}", SOURCE, ratio, half_width)


def _ratios(what: str, printed: Published, context: TableContext) -> Iterator[Row]:
    """A row for every config that was run with stochastic depth and without."""
    runs = finished_runs(context.runs_dir, "resnet_cifar10")
    timed = [run for run in runs if run.steps_per_second]
    for config, members in grouped(timed, APART | {"final_survival"}):
        alone, dropping = ([run for run in members if belongs(c, run.config)] for c in CELLS)
        constant = {run.config["seed"]: run for run in alone}
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
                yield _row(what, printed, config | {"final_survival": survival}, pairs)


def _row(
    what: str, printed: Published, config: dict[str, Any], pairs: list[tuple[Run, Run]]
) -> Row:
    values = [alone.steps_per_second / dropped.steps_per_second for alone, dropped in pairs]
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
    found = departures(CELLS[1], trained_rows.module_of("resnet_cifar10"), config, ours)
    found += ["on a CPU"] * (first.platform == "cpu")
    how = f"pairs of the runs {', '.join(ours.runs)}; {ours.data}; {ours.device}"
    what = f"{what}: {', '.join(found)}" if found else what
    return Row(what, printed, ours, how, better="less", gap=bool(found), decimals=3)
