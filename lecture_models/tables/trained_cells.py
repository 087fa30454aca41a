"""Rows of a table that finished runs fill: the paper's own cell, and what was run otherwise."""

import dataclasses
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, NamedTuple

from lecture_models.config import as_typed
from lecture_models.runs.results import Measurement, Run, measurements
from lecture_models.tables.table import Published, Row

MIN_SEEDS = 3  # Fewer are no mean to hold against a paper's.
# Fields that change no number of the result.
FREE = frozenset({"seed", "log_every", "eval_every", "checkpoint_every"})
# The data set is judged by what was read, not by the list of what might have been.
APART = FREE | {"dataset"}

ModuleOf = Callable[[str], ModuleType | None]  # The experiment of a name; None: not in the house.


class Cell(NamedTuple):
    """A published figure, or None, and the runs that would answer it.

    `metric` is of the last evaluation of `experiment`'s runs; `dataset` is the one the paper used.
    `config` tells this network from others: runs without these fields are no runs of the cell, nor
    are those that `accepts` refuses. The paper's recipe is `preset` with `config` and `recipe`;
    where it is not known here, `recipe` is None.
    """

    what: str
    published: Published | None
    experiment: str
    metric: str
    better: str
    dataset: str
    config: tuple[tuple[str, Any], ...] = ()
    decimals: int = 2
    recipe: tuple[tuple[str, Any], ...] | None = ()
    accepts: Callable[[dict[str, Any]], bool] = lambda config: True
    preset: str = "paper"


def plain(config: Any) -> dict[str, Any]:
    """A Config as JSON gives it back."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in dataclasses.asdict(config).items()
    }


def planned(cell: Cell, module: ModuleType, preset: str) -> Any:
    """The Config of a cell's network with a preset, and with the recipe where it is the paper's.

    Raises ValueError where the preset and the cell's fields do not go together.
    """
    values = getattr(module, preset.upper(), {}) | dict(cell.config)
    if preset == cell.preset:
        values |= dict(cell.recipe or ())
    return module.Config(**values)


def flags_of(cell: Cell, module: ModuleType, preset: str) -> tuple[tuple[str, str], ...]:
    """What `planned` has otherwise than the preset, as it is typed."""
    config = planned(cell, module, preset)
    base = module.Config(**getattr(module, preset.upper(), {}))
    return tuple(
        (name, as_typed(value))
        for name, value in vars(config).items()
        if value != getattr(base, name)
    )


def rows(cell: Cell, runs: list[Run], module_of: ModuleOf) -> list[Row]:
    """The paper's row, "not run" unless its recipe was; then a row for every other protocol.

    The recipe is the cell's with no other field changed, on the paper's data set without a note
    (fallback, lossy, a part of it), by at least three seeds. Whatever else was run stands in a row
    of its own, as a gap. Without a published value there is no row to be filled once there are
    others.
    """
    module = module_of(cell.experiment)
    own, others = [], []
    for config, measured in _measured(cell, runs):
        found = departures(cell, module, config, measured)
        what = f"{cell.what}: {', '.join(found)}" if found else cell.what
        (others if found else own).append(_row(cell, measured, what, bool(found)))
    if own or (others and cell.published is None):
        return [*own, *others]
    return [_missing(cell, module), *others]


def is_filled(cell: Cell, runs: list[Run], module_of: ModuleOf) -> bool:
    """Whether finished runs answer the cell: its recipe; without a published value, any recipe."""
    module = module_of(cell.experiment)
    return any(
        not _shortcomings(cell, measured)
        and (cell.published is None or not _other(cell, module, config, measured))
        for config, measured in _measured(cell, runs)
    )


def belongs(cell: Cell, config: dict[str, Any]) -> bool:
    """Whether a run's recorded config is of the cell's network."""
    wanted = {name: list(v) if isinstance(v, tuple) else v for name, v in cell.config}
    return all(config.get(name) == value for name, value in wanted.items()) and cell.accepts(config)


def _measured(cell: Cell, runs: list[Run]) -> Iterator[tuple[dict[str, Any], Measurement]]:
    """What was measured of the cell's network.

    Without a published value, another data set that did not stand in for the cell's is another
    cell's.
    """
    for config, measured in measurements(runs, cell.metric, APART):
        asked_for = _dataset(measured) == cell.dataset or bool(measured.note)
        if belongs(cell, config) and (asked_for or cell.published is not None):
            yield config, measured


def _dataset(measured: Measurement) -> str:
    return measured.data.partition(" ")[0]


def departures(
    cell: Cell, module: ModuleType | None, config: dict[str, Any], measured: Measurement
) -> list[str]:
    """What keeps a measurement out of the paper's cell; nothing where it fills it."""
    return _other(cell, module, config, measured) + _shortcomings(cell, measured)


def _other(
    cell: Cell, module: ModuleType | None, config: dict[str, Any], measured: Measurement
) -> list[str]:
    """How what was run is not the cell's recipe."""
    found = [] if measured.preset == cell.preset else [f"preset {measured.preset}"]
    if cell.published is not None and (module is None or cell.recipe is None):
        found.append("the recipe is not known here")
    if module is not None:
        found += _changed(cell, module, config, measured.preset)
    return found


def _shortcomings(cell: Cell, measured: Measurement) -> list[str]:
    """Of data and of seeds."""
    found = []
    if _dataset(measured) != cell.dataset:
        found.append(f"data {measured.data}")
    if measured.note:
        found.append(measured.note)
    if measured.count < MIN_SEEDS:
        found.append("1 seed" if measured.count == 1 else f"{measured.count} seeds")
    return found


def _changed(cell: Cell, module: ModuleType, config: dict[str, Any], preset: str) -> list[str]:
    """The fields in which a run differs from its preset, as flags."""
    try:
        expected = plain(planned(cell, module, preset))
    except ValueError:  # A smoke preset, say, that the cell's network does not go with.
        return []
    changed = [
        f"--{name}={','.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in config.items()
        if name not in APART and value != expected.get(name)
    ]
    # A record from before a field was there stands for the field's default.
    defaults = plain(module.Config())
    unknown = sorted(expected.keys() - config.keys() - APART)
    return changed + [f"no --{name} yet" for name in unknown if expected[name] != defaults[name]]


def _row(cell: Cell, measured: Measurement, what: str, gap: bool) -> Row:
    runs = ", ".join(measured.runs)
    several = "mean and spread over the runs" if measured.count > 1 else "the run"
    how = f"{several} {runs}; {measured.data}; {measured.device}"
    return Row(what, cell.published, measured, how, "", cell.better, gap, cell.decimals)


def _missing(cell: Cell, module: ModuleType | None) -> Row:
    if module is None:
        absent = f"the experiment {cell.experiment} is not in the house"
    elif cell.recipe is None:
        absent = "its recipe is not known here" if cell.published else "no finished runs of it"
    else:
        flags = [("preset", cell.preset), *flags_of(cell, module, cell.preset)]
        recipe = " ".join(f"--{name}={value}" for name, value in flags)
        absent = f"no {MIN_SEEDS} finished runs of {cell.experiment} {recipe} in the runs' folder"
    return Row(cell.what, cell.published, None, absent, better=cell.better)
