"""Rows of a table that finished runs fill: the paper's own cell, and what was run otherwise."""

import dataclasses
import importlib
import importlib.util
from typing import Any, NamedTuple

from lecture_models.runtime.run_results import finished_runs, measurements
from lecture_models.runtime.table import Measurement, Published, Row, TableContext

MIN_SEEDS = 3  # Fewer are no mean to hold against a paper's.
# Fields that change no number of the result.
FREE = frozenset({"seed", "log_every", "checkpoint_every"})


class Cell(NamedTuple):
    """A published figure, and the runs that would answer it.

    `metric` is of the last evaluation of `experiment`'s runs; `dataset` is the one the paper used;
    `config` narrows the runs to those with these fields.
    """

    what: str
    published: Published
    experiment: str
    metric: str
    better: str
    dataset: str
    config: tuple[tuple[str, Any], ...] = ()
    decimals: int = 2


def rows(cell: Cell, context: TableContext) -> list[Row]:
    """The paper's row, "not run" unless its recipe was; then a row for every other protocol.

    The recipe is the experiment's PAPER preset with no other field changed, on the paper's data
    set without a note (fallback, lossy), by at least three seeds. Whatever else was run stands in
    a row of its own, as a gap.
    """
    runs = finished_runs(context.runs_dir, cell.experiment)
    paper = _paper_config(cell)
    own, others = [], []
    for config, measured in measurements(runs, cell.metric, FREE):
        if any(config.get(name) != value for name, value in cell.config):
            continue
        if _departures(config, measured, cell, paper):
            others.append(_gap(config, measured, cell, paper))
        else:
            how = _how(measured)
            own.append(
                Row(cell.what, cell.published, measured, how, "", cell.better, False, cell.decimals)
            )
    absent = f"no {MIN_SEEDS} finished runs of {cell.experiment} --preset=paper in the runs' folder"
    missing = Row(cell.what, cell.published, None, absent, better=cell.better)
    return [*(own or [missing]), *others]


def _paper_config(cell: Cell) -> dict[str, Any] | None:
    """None where the experiment is not in the house."""
    name = f"experiments.{cell.experiment}"
    if importlib.util.find_spec(name) is None:
        return None
    module = importlib.import_module(name)
    config = dataclasses.asdict(module.Config(**(module.PAPER | dict(cell.config))))
    return {name: list(v) if isinstance(v, tuple) else v for name, v in config.items()}


def _departures(
    config: dict[str, Any], measured: Measurement, cell: Cell, paper: dict[str, Any] | None
) -> list[str]:
    """What keeps a measurement out of the paper's cell."""
    found = [] if measured.preset == "paper" else [f"preset {measured.preset}"]
    if paper is None:
        found.append("the recipe is not known here")
    elif not found:
        changed = {
            name: value
            for name, value in config.items()
            if name not in FREE | {"dataset"} and value != paper.get(name)
        }
        found += [f"--{name}={value}" for name, value in changed.items()]
    if measured.data.partition(" ")[0] != cell.dataset:
        found.append(f"data {measured.data}")
    if measured.note:
        found.append(measured.note)
    if measured.count < MIN_SEEDS:
        found.append("1 seed" if measured.count == 1 else f"{measured.count} seeds")
    return found


def _gap(
    config: dict[str, Any], measured: Measurement, cell: Cell, paper: dict[str, Any] | None
) -> Row:
    departures = _departures(config, measured, cell, paper)
    what = f"{cell.what}: {', '.join(departures)}"
    return Row(what, cell.published, measured, _how(measured), "", cell.better, True, cell.decimals)


def _how(measured: Measurement) -> str:
    runs = ", ".join(measured.runs)
    return f"mean and spread over the runs {runs}; {measured.data}; {measured.device}"
