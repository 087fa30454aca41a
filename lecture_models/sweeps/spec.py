"""A sweep's file, in W&B's format, and everything that can be wrong with it alone."""

import hashlib
import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from lecture_models.config import UsageError, did_you_mean
from lecture_models.sweeps.distributions import Parameter, parameter

METHODS = ("grid", "random", "bayes")
GOALS = ("minimize", "maximize")
# W&B's keys; those that say how its agent runs are not needed here.
KEYS = (
    *("program", "command", "method", "metric", "parameters", "early_terminate", "run_cap"),
    *("name", "description", "project", "entity", "apiVersion", "kind", "controller"),
)
LARGEST_GRID = 100_000


class EarlyStop(NamedTuple):
    """Hyperband, counted in evaluations as W&B does; `most` is None for all that a run has."""

    least: int
    most: int | None
    eta: int


class Spec(NamedTuple):
    """`constants` are flags that every trial has: parameters of one value, and the command's."""

    name: str
    method: str
    metric: str
    goal: str
    parameters: dict[str, Parameter]
    constants: dict[str, Any]
    early: EarlyStop | None
    run_cap: int | None
    raw: dict[str, Any]

    def points(self) -> Iterator[dict[str, Any]]:
        """The grid's draws: the last parameter changes fastest."""
        choices = [each.grid for each in self.parameters.values()]
        for point in itertools.product(*choices):
            yield dict(zip(self.parameters, point, strict=True))

    @property
    def grid_size(self) -> int:
        return math.prod(len(each.grid or ()) for each in self.parameters.values())

    def values(self, draws: dict[str, Any]) -> dict[str, Any]:
        """What a run is given for what Optuna drew."""
        return {name: self.parameters[name].value(draw) for name, draw in draws.items()}


def read_spec(path: Path) -> Spec:
    """Raises UsageError with one line for a file that is none, and for every wrong entry."""
    try:
        raw = yaml.safe_load(path.expanduser().read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read --sweep={path}: {getattr(error, 'strerror', error)}"
        ) from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is no YAML: {error}") from error
    return make_spec(raw, path.stem)


def make_spec(raw: Any, stem: str) -> Spec:
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
    given = raw.get("parameters")
    if not isinstance(given, dict) or not given:
        raise UsageError("the sweep has no parameters; name one or more fields of the experiment")
    every = {str(name): parameter(str(name), entry) for name, entry in given.items()}
    constants = _flags(raw.get("command", [])) | {
        name: each.ends[0] for name, each in every.items() if _is_constant(given[name])
    }
    swept = {name: each for name, each in every.items() if not _is_constant(given[name])}
    if not swept:
        raise UsageError("the sweep has constants alone; give one parameter values, or min and max")
    spec = Spec(
        name=str(raw.get("name") or stem),
        method=method,
        metric=metric,
        goal=goal,
        parameters=swept,
        constants=constants,
        early=_early(raw, metric),
        run_cap=_positive(raw, "run_cap"),
        raw=raw,
    )
    if method == "grid":
        _refuse_no_grid(spec)
    return spec


def digest(spec: Spec, *others: Any) -> str:
    """Of what makes two sweeps one: not of names, nor of how many trials."""
    kept = ("method", "metric", "parameters", "early_terminate")
    asked = [{key: spec.raw.get(key) for key in kept}, spec.constants, *others]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


def _is_constant(entry: dict[str, Any]) -> bool:
    return "value" in entry


def _metric(raw: dict[str, Any], method: str) -> tuple[str, str]:
    metric = raw.get("metric")
    if metric is None:
        raise UsageError(
            f"the sweep has no metric; {method} needs one, for the best of its trials: "
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


def _early(raw: dict[str, Any], metric: str) -> EarlyStop | None:
    early = raw.get("early_terminate")
    if early is None:
        return None
    if not isinstance(early, dict) or early.get("type") != "hyperband":
        raise UsageError(f"the sweep's early_terminate is {early!r}; its type must be hyperband")
    unknown = sorted(early.keys() - {"type", "min_iter", "max_iter", "s", "eta", "strict"})
    if unknown:
        raise UsageError(
            f"early_terminate has the key {unknown[0]!r}; it has min_iter, max_iter, s, eta"
        )
    eta = early.get("eta", 3)
    if not isinstance(eta, int | float) or eta != int(eta) or eta < 2:
        raise UsageError(f"early_terminate has eta {eta!r}; it must be a whole number above 1")
    least, most = _positive(early, "min_iter"), _positive(early, "max_iter")
    if least is None:
        halvings = early.get("s")
        if most is None or not isinstance(halvings, int) or halvings < 1:
            raise UsageError("early_terminate needs min_iter, or both max_iter and s")
        least = max(1, int(most / eta**halvings))
    if most is not None and least > most:
        raise UsageError(f"early_terminate has min_iter {least}, above max_iter {most}")
    return EarlyStop(least, most, int(eta))


def _flags(command: Any) -> dict[str, str]:
    """The literal --NAME=VALUE of the command that W&B's agent would run."""
    if not isinstance(command, list):
        raise UsageError(f"the sweep's command is {command!r}; it must be a list")
    words = [str(word) for word in command if str(word).startswith("--")]
    bare = [word for word in words if "=" not in word]
    if bare:
        raise UsageError(f"the sweep's command has {bare[0]}; write --NAME=VALUE as one word")
    pairs = [word.lstrip("-").partition("=") for word in words]
    return {name: value for name, _, value in pairs}


def _refuse_no_grid(spec: Spec) -> None:
    for name, each in spec.parameters.items():
        if each.grid is None:
            raise UsageError(f"parameter {name} is a range without steps; a grid needs values")
    if spec.grid_size > LARGEST_GRID:
        raise UsageError(f"the grid has {spec.grid_size:,} points; at most {LARGEST_GRID:,}")
