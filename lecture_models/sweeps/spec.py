"""Reads a sweep's file in W&B's format, and checks everything that needs no experiment."""

import hashlib
import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from lecture_models.config import UsageError, did_you_mean
from lecture_models.sweeps.distributions import SweptParameter, parse_parameter

METHODS = ("grid", "random", "bayes")
GOALS = ("minimize", "maximize")
# All of W&B's keys; those that concern W&B alone are ignored.
KEYS = (
    *("program", "command", "method", "metric", "parameters", "early_terminate", "run_cap"),
    *("name", "description", "project", "entity", "apiVersion", "kind", "controller"),
)
LARGEST_GRID = 100_000


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
        method: one of METHODS.
        metric: logged name of the metric to optimize.
        goal: one of GOALS.
        parameters: swept parameters by name.
        constants: flags of every trial: parameters with one value, and flags of `command`.
        hyperband: early stopping; None runs every trial to its end.
        run_cap: number of trials; None if the file does not limit it.
        raw: content of the file.
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

    def points(self) -> Iterator[dict[str, Any]]:
        """Yields the draws of a grid search; the last parameter changes fastest."""
        choices = [parameter.grid for parameter in self.parameters.values()]
        for point in itertools.product(*choices):
            yield dict(zip(self.parameters, point, strict=True))

    @property
    def grid_size(self) -> int:
        return math.prod(len(parameter.grid or ()) for parameter in self.parameters.values())

    def values(self, draws: dict[str, Any]) -> dict[str, Any]:
        """Returns the Config's fields for what Optuna drew."""
        return {name: self.parameters[name].from_draw(draw) for name, draw in draws.items()}


def read_spec(path: Path) -> SweepSpec:
    """Reads a YAML file; raises UsageError with one line if it or one of its entries is invalid."""
    try:
        raw = yaml.safe_load(path.expanduser().read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read --sweep={path}: {getattr(error, 'strerror', error)}"
        ) from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is not valid YAML: {error}") from error
    return make_spec(raw, path.stem)


def make_spec(raw: Any, stem: str) -> SweepSpec:
    """Checks the content of a file; `stem` is the sweep's name if the content has none.

    Raises UsageError with one line for every wrong entry.
    """
    if not isinstance(raw, dict):
        raise UsageError(
            f"the sweep {stem} holds {type(raw).__name__}; it must have method and parameters"
        )
    unknown = [key for key in raw if key not in KEYS]
    if unknown:
        raise UsageError(
            f"the sweep has the key {unknown[0]!r}{did_you_mean(str(unknown[0]), KEYS)}"
        )
    method = raw.get("method")
    if method not in METHODS:
        raise UsageError(f"the sweep's method is {method!r}; allowed: {', '.join(METHODS)}")
    metric, goal = _metric(raw, method)
    entries = raw.get("parameters")
    if not isinstance(entries, dict) or not entries:
        raise UsageError("the sweep has no parameters; name one or more fields of the experiment")
    parameters = {str(name): parse_parameter(str(name), entry) for name, entry in entries.items()}
    constants = {name for name in parameters if "value" in entries[name]}
    swept = {name: value for name, value in parameters.items() if name not in constants}
    if not swept:
        raise UsageError("the sweep has only constants; give one parameter values, or min and max")
    spec = SweepSpec(
        name=str(raw.get("name") or stem),
        method=method,
        metric=metric,
        goal=goal,
        parameters=swept,
        constants=_command_flags(raw.get("command", []))
        | {name: parameters[name].edge_draws[0] for name in parameters if name in constants},
        hyperband=_hyperband(raw),
        run_cap=_positive(raw, "run_cap"),
        raw=raw,
    )
    if method == "grid":
        _check_grid(spec)
    return spec


def digest(spec: SweepSpec, *others: Any) -> str:
    """Returns a hash of what determines the trials; names and the number of trials do not."""
    kept = ("method", "metric", "parameters", "early_terminate")
    content = [{key: spec.raw.get(key) for key in kept}, spec.constants, *others]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _metric(raw: dict[str, Any], method: str) -> tuple[str, str]:
    metric = raw.get("metric")
    if metric is None:
        raise UsageError(
            f"the sweep has no metric; {method} needs one to compare its trials: "
            "metric: {name: eval/..., goal: minimize}"
        )
    if not isinstance(metric, dict) or not isinstance(metric.get("name"), str):
        raise UsageError(f"the sweep's metric is {metric!r}; it must have a name")
    goal = metric.get("goal", "minimize")
    if goal not in GOALS:
        raise UsageError(f"the sweep's goal is {goal!r}; allowed: {', '.join(GOALS)}")
    return metric["name"], goal


def _positive(raw: dict[str, Any], key: str) -> int | None:
    value = raw.get(key)
    if value is not None and (not isinstance(value, int) or value < 1):
        raise UsageError(f"the sweep's {key} is {value!r}; it must be a whole number above 0")
    return value


def _hyperband(raw: dict[str, Any]) -> Hyperband | None:
    early = raw.get("early_terminate")
    if early is None:
        return None
    if not isinstance(early, dict) or early.get("type") != "hyperband":
        raise UsageError(f"the sweep's early_terminate is {early!r}; its type must be hyperband")
    unknown = sorted(early.keys() - {"type", "min_iter", "max_iter", "s", "eta", "strict"})
    if unknown:
        raise UsageError(
            f"early_terminate has the key {unknown[0]!r}; allowed: min_iter, max_iter, s, eta"
        )
    eta = early.get("eta", 3)
    if not isinstance(eta, int | float) or eta != int(eta) or eta < 2:
        raise UsageError(f"early_terminate has eta {eta!r}; it must be a whole number above 1")
    minimum, maximum = _positive(early, "min_iter"), _positive(early, "max_iter")
    if minimum is None:
        brackets = early.get("s")
        if maximum is None or not isinstance(brackets, int) or brackets < 1:
            raise UsageError("early_terminate needs min_iter, or both max_iter and s")
        minimum = max(1, int(maximum / eta**brackets))
    if maximum is not None and minimum > maximum:
        raise UsageError(f"early_terminate has min_iter {minimum}, above max_iter {maximum}")
    return Hyperband(minimum, maximum, int(eta))


def _command_flags(command: Any) -> dict[str, str]:
    """Returns the literal --NAME=VALUE of the command that W&B's agent would run."""
    if not isinstance(command, list):
        raise UsageError(f"the sweep's command is {command!r}; it must be a list")
    words = [str(word) for word in command if str(word).startswith("--")]
    bare = [word for word in words if "=" not in word]
    if bare:
        raise UsageError(f"the sweep's command has {bare[0]}; write --NAME=VALUE as one word")
    pairs = [word.lstrip("-").partition("=") for word in words]
    return {name: value for name, _, value in pairs}


def _check_grid(spec: SweepSpec) -> None:
    for name, parameter in spec.parameters.items():
        if parameter.grid is None:
            raise UsageError(f"parameter {name} is a range without steps; a grid needs values")
    if spec.grid_size > LARGEST_GRID:
        raise UsageError(f"the grid has {spec.grid_size:,} points; at most {LARGEST_GRID:,}")
