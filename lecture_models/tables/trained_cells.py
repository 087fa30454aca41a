"""Fills rows of a table from finished runs: the paper's own cell, and rows for other protocols."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, NamedTuple

from lecture_models.config import as_json_values, as_typed
from lecture_models.runs.results import FinishedRun, Measurement, measurements
from lecture_models.tables.table import PublishedValue, TableRow

MIN_SEEDS = 3  # A mean of fewer is not compared with a paper's.
# Fields that change no number of the result.
CADENCE_FIELDS = frozenset({"seed", "log_every", "eval_every", "checkpoint_every"})
# `dataset` lists alternatives; a run is judged by the data set that it read.
IGNORED_FIELDS = CADENCE_FIELDS | {"dataset"}

ModuleOf = Callable[[str], ModuleType | None]  # Experiment's name -> module; None if unknown.


class TrainedCell(NamedTuple):
    """Describes a published figure, or a row without one, and the runs that fill it.

    Attributes:
        label: the row's label.
        published: the figure; None if the source prints none.
        experiment: name of the experiment.
        metric: name of the metric, whose value at the last evaluation counts.
        better: "less" or "more".
        dataset: name of the data set that the paper used.
        config: fields that distinguish this network; other runs do not belong to the cell.
        decimals: number of decimals when the mean is printed.
        recipe: fields that the paper's training has in addition to `preset` and `config`; None if
            it is unknown.
        accepts: returns False for the recorded config of a run that does not belong to the cell.
        preset: preset of the paper's training.
        reads: returns False for a data set, by its name, whose runs belong to another cell.
    """

    label: str
    published: PublishedValue | None
    experiment: str
    metric: str
    better: str
    dataset: str
    config: tuple[tuple[str, Any], ...] = ()
    decimals: int = 2
    recipe: tuple[tuple[str, Any], ...] | None = ()
    accepts: Callable[[dict[str, Any]], bool] = lambda config: True
    preset: str = "paper"
    reads: Callable[[str], bool] = lambda dataset: True


def cell_config(cell: TrainedCell, module: ModuleType, preset: str) -> Any:
    """Returns the Config of a cell's network with a preset, plus the recipe if it is the paper's.

    Raises ValueError if the preset contradicts the cell's fields.
    """
    values = getattr(module, preset.upper(), {}) | dict(cell.config)
    if preset == cell.preset:
        values |= dict(cell.recipe or ())
    return module.Config(**values)


def recipe_flags(cell: TrainedCell, module: ModuleType, preset: str) -> tuple[tuple[str, str], ...]:
    """Returns the fields in which `cell_config` differs from the preset, as they are typed."""
    config = cell_config(cell, module, preset)
    base = module.Config(**getattr(module, preset.upper(), {}))
    return tuple(
        (name, as_typed(value))
        for name, value in vars(config).items()
        if value != getattr(base, name)
    )


def cell_rows(cell: TrainedCell, runs: list[FinishedRun], module_of: ModuleOf) -> list[TableRow]:
    """Returns the paper's row, then a row for each other protocol that was run.

    The paper's row is filled by at least three seeds with exactly the cell's recipe, on the paper's
    data set without a note (fallback, lossy, a part of it); else it is "not run". An experiment
    whose `PAPER_DEPARTURES` names differences from the paper never fills it. All other rows are
    gaps. A cell without a published value has no empty row if there are other rows.
    """
    module = module_of(cell.experiment)
    own, others = [], []
    for config, measured in _measured(cell, runs):
        differences = departures(cell, module, config, measured)
        label = f"{cell.label}: {', '.join(differences)}" if differences else cell.label
        (others if differences else own).append(_row(cell, measured, label, bool(differences)))
    if own or (others and cell.published is None):
        return [*own, *others]
    return [_empty_row(cell, module), *others]


def _departs(module: ModuleType | None) -> str:
    """Returns a phrase that counts the known differences of a preset from the paper's recipe.

    It is "" if there are none, and for an experiment that does not state them.
    """
    count = len(getattr(module, "PAPER_DEPARTURES", ()))
    if not count:
        return ""
    points = "1 point" if count == 1 else f"{count} points"
    return f"departs from the published recipe in {points} (see its page)"


def is_filled(cell: TrainedCell, runs: list[FinishedRun], module_of: ModuleOf) -> bool:
    """Tells whether runs fill the cell: with its recipe; any, if there is no published value."""
    module = module_of(cell.experiment)
    return any(
        not _data_departures(cell, measured)
        and (cell.published is None or not _recipe_departures(cell, module, config, measured))
        for config, measured in _measured(cell, runs)
    )


def belongs(cell: TrainedCell, config: dict[str, Any]) -> bool:
    """Tells whether a run's recorded config has the cell's network."""
    fields = {
        name: list(value) if isinstance(value, tuple) else value for name, value in cell.config
    }
    return all(config.get(name) == value for name, value in fields.items()) and cell.accepts(config)


def _measured(
    cell: TrainedCell, runs: list[FinishedRun]
) -> Iterator[tuple[dict[str, Any], Measurement]]:
    """Yields the measurements of the cell's network, with their configs.

    If there is no published value, runs that asked for another data set belong to another cell.
    """
    for config, measured in measurements(runs, cell.metric, IGNORED_FIELDS):
        asked_for = _dataset(measured) == cell.dataset or bool(measured.note)
        elsewhere = not cell.reads(_dataset(measured))
        if belongs(cell, config) and not elsewhere and (asked_for or cell.published is not None):
            yield config, measured


def _dataset(measured: Measurement) -> str:
    return measured.data.partition(" ")[0]


def departures(
    cell: TrainedCell, module: ModuleType | None, config: dict[str, Any], measured: Measurement
) -> list[str]:
    """Returns what keeps a measurement out of the paper's cell; an empty list if it fills it."""
    return _recipe_departures(cell, module, config, measured) + _data_departures(cell, measured)


def _recipe_departures(
    cell: TrainedCell, module: ModuleType | None, config: dict[str, Any], measured: Measurement
) -> list[str]:
    differences = [] if measured.preset == cell.preset else [f"preset {measured.preset}"]
    if measured.preset == "paper" and (departs := _departs(module)):
        differences.append(f"preset paper, which {departs}")
    if cell.published is not None and (module is None or cell.recipe is None):
        differences.append("the recipe is not known here")
    if module is not None:
        differences += _changed_fields(cell, module, config, measured.preset)
    return differences


def _data_departures(cell: TrainedCell, measured: Measurement) -> list[str]:
    differences = []
    if _dataset(measured) != cell.dataset:
        differences.append(f"data {measured.data}")
    if measured.note:
        differences.append(measured.note)
    if measured.count < MIN_SEEDS:
        differences.append("1 seed" if measured.count == 1 else f"{measured.count} seeds")
    return differences


def _changed_fields(
    cell: TrainedCell, module: ModuleType, config: dict[str, Any], preset: str
) -> list[str]:
    """Returns the fields in which a run differs from its preset, as flags."""
    try:
        expected = as_json_values(cell_config(cell, module, preset))
    except ValueError:  # The preset, such as "smoke", contradicts the cell's network.
        return []
    changed = [
        f"--{name}={','.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in config.items()
        if name not in IGNORED_FIELDS and value != expected.get(name)
    ]
    # A record from before a field existed stands for the field's default.
    defaults = as_json_values(module.Config())
    unknown = sorted(expected.keys() - config.keys() - IGNORED_FIELDS)
    return changed + [f"no --{name} yet" for name in unknown if expected[name] != defaults[name]]


def _row(cell: TrainedCell, measured: Measurement, label: str, gap: bool) -> TableRow:
    runs = ", ".join(measured.runs)
    subject = "mean and spread over the runs" if measured.count > 1 else "the run"
    how = f"{subject} {runs}; {measured.data}; {measured.device}"
    return TableRow(label, cell.published, measured, how, "", cell.better, gap, cell.decimals)


def _empty_row(cell: TrainedCell, module: ModuleType | None) -> TableRow:
    if module is None:
        reason = f"the experiment {cell.experiment} does not exist here"
    elif cell.recipe is None:
        reason = "its recipe is not known here" if cell.published else "no finished runs of it"
    else:
        flags = [("preset", cell.preset), *recipe_flags(cell, module, cell.preset)]
        recipe = " ".join(f"--{name}={value}" for name, value in flags)
        reason = f"fewer than {MIN_SEEDS} finished runs of {cell.experiment} {recipe}"
        if cell.preset == "paper" and (departs := _departs(module)):
            reason = f"{cell.experiment} {recipe} {departs}"
    return TableRow(cell.label, cell.published, None, reason, better=cell.better)
