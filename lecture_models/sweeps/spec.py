"""Reads a sweep's file in W&B's format, and checks everything that needs no experiment."""

import hashlib
import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from lecture_models.config import UsageError
from lecture_models.files import json_text
from lecture_models.sweeps.distributions import LARGEST_GRID, SweptParameter, parse_parameter
from lecture_models.sweeps.schema import (
    EarlyTerminate,
    Metric,
    SweepFile,
    shown,
    validated,
    with_numbers,
)
from lecture_models.sweeps.yaml_file import read_yaml


class Hyperband(NamedTuple):
    """Holds Hyperband's settings, in evaluations as W&B counts.

    Attributes:
        min_evaluations: evaluations before a trial may be pruned.
        max_evaluations: evaluations of a whole trial; None takes those of the experiment.
        eta: reduction factor between two rungs.
    """

    min_evaluations: int
    max_evaluations: int | None
    eta: int


class SweepSpec(NamedTuple):
    """Describes a sweep.

    Attributes:
        name: name of the sweep.
        method: grid, random or bayes.
        metric: logged name of the metric to optimize.
        goal: minimize or maximize.
        parameters: swept parameters by name.
        constants: flags of every trial: parameters with one value, and flags of `command`.
        hyperband: early stopping; None runs every trial to its end.
        run_cap: number of trials; None if the file does not limit it.
        raw: content of the file.
        warnings: a line for the user about each entry that is likely a mistake.
    """

    name: str
    method: str
    metric: str
    goal: str
    parameters: dict[str, SweptParameter]
    constants: dict[str, Any]
    hyperband: Hyperband | None
    run_cap: int | None
    raw: dict[str, Any]
    warnings: tuple[str, ...] = ()

    def points(self) -> Iterator[dict[str, Any]]:
        """Yields the draws of a grid search; the last parameter changes fastest."""
        choices = [parameter.grid for parameter in self.parameters.values()]
        for point in itertools.product(*choices):
            yield dict(zip(self.parameters, point, strict=True))

    @property
    def grid_size(self) -> int:
        """Returns the number of points of a grid search."""
        return math.prod(len(parameter.grid or ()) for parameter in self.parameters.values())

    def values(self, draws: dict[str, Any]) -> dict[str, Any]:
        """Returns the Config's fields for what Optuna drew."""
        return {name: self.parameters[name].from_draw(draw) for name, draw in draws.items()}


def read_spec(path: Path) -> SweepSpec:
    """Reads a YAML file; raises UsageError with one line if it or one of its entries is invalid."""
    return make_spec(read_yaml(path), path.stem)


def make_spec(raw: Any, stem: str) -> SweepSpec:
    """Checks the content of a file; `stem` is the sweep's name if the content has none.

    Raises UsageError with one line for every wrong entry.
    """
    if not isinstance(raw, dict):
        holds = {type(None): "is empty", list: "holds a list"}.get(type(raw), "holds one value")
        raise UsageError(f"the sweep {stem} {holds}; it must have method and parameters")
    _require_recordable(raw)
    file = validated(SweepFile, with_numbers(raw), "the sweep")
    metric = _metric(file)
    parameters = _parameters(file)
    constants = {
        name: parameter.edge_draws[0]
        for name, parameter in parameters.items()
        if "value" in file.parameters[name]
    }
    swept = {name: parameters[name] for name in parameters if name not in constants}
    if not swept:
        raise UsageError("the sweep has only constants; give one parameter values, or min and max")
    spec = SweepSpec(
        name=str(raw.get("name") or stem),  # As it is written: 12e4 is a name, not a number.
        method=file.method,
        metric=metric.name,
        goal=metric.goal,
        parameters=swept,
        constants=_command_flags(file.command) | constants,
        hyperband=_hyperband(file),
        run_cap=file.run_cap,
        raw=raw,
        warnings=_warnings(metric, parameters),
    )
    return _on_grid(spec) if file.method == "grid" else spec


def digest(spec: SweepSpec, *others: Any) -> str:
    """Returns a hash of what determines the trials; names and the number of trials do not."""
    kept = ("method", "metric", "parameters", "early_terminate")
    content = [with_numbers({key: spec.raw.get(key) for key in kept}), spec.constants, *others]
    steps = [name for name in spec.parameters if "q" in spec.raw["parameters"][name]]
    if spec.method == "grid" and steps:  # Older versions tried other values: not the same sweep.
        content.append([spec.parameters[name].grid for name in steps])
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _metric(file: SweepFile) -> Metric:
    if file.metric is None:
        raise UsageError(
            f"the sweep has no metric; {file.method} needs one to compare its trials: "
            "metric: {name: eval/..., goal: minimize}"
        )
    return validated(Metric, file.metric, "the metric")


def _parameters(file: SweepFile) -> dict[str, SweptParameter]:
    entries = file.parameters
    if not isinstance(entries, dict) or not entries:
        raise UsageError("the sweep has no parameters; name one or more fields of the experiment")
    for name in entries:
        if not isinstance(name, str):
            raise UsageError(
                f"a parameter of the sweep has the name {name!r}, which is not a text; write it in "
                "quotes"
            )
    return {name: parse_parameter(name, entry) for name, entry in entries.items()}


def _hyperband(file: SweepFile) -> Hyperband | None:
    if file.early_terminate is None:
        return None
    early = validated(EarlyTerminate, file.early_terminate, "early_terminate")
    return Hyperband(early.first, early.max_iter, early.eta)


def _command_flags(command: list[Any]) -> dict[str, str]:
    """Returns the literal --NAME=VALUE of the command that W&B's agent would run."""
    words = [str(word) for word in command if str(word).startswith("--")]
    bare = [word for word in words if "=" not in word]
    if bare:
        raise UsageError(f"the sweep's command has {bare[0]}; write --NAME=VALUE as one word")
    pairs = [word.lstrip("-").partition("=") for word in words]
    return {name: value for name, _, value in pairs}


def _warnings(metric: Metric, parameters: dict[str, SweptParameter]) -> tuple[str, ...]:
    lines = [parameter.warning for parameter in parameters.values() if parameter.warning]
    if metric.target is not None:
        lines.append(f"the metric has the target {metric.target:g}; it does not end this sweep")
    return tuple(lines)


def _require_recordable(raw: dict[str, Any]) -> None:
    """Raises UsageError for a content that sweep.json cannot hold, such as a set."""
    for key, value in raw.items():
        try:
            json_text(value).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise UsageError(
                f"the sweep's {key} is {shown(value)}; it must hold texts, numbers, true, false, "
                "lists and mappings only"
            ) from error


def _on_grid(spec: SweepSpec) -> SweepSpec:
    for name, entry in spec.raw["parameters"].items():
        if "probabilities" in entry:
            raise UsageError(f"parameter {name} has probabilities; a grid tries all values alike")
    parameters = {name: parameter.on_grid() for name, parameter in spec.parameters.items()}
    spec = spec._replace(parameters=parameters)
    if spec.grid_size > LARGEST_GRID:
        raise UsageError(f"the grid has {spec.grid_size:,} points; at most {LARGEST_GRID:,}")
    return spec
