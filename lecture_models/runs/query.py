"""Finds past runs by conditions such as `eval/loss<1.0, seed=0`.

The conditions are parsed as text and never evaluated as code.
"""

import math
import operator
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from lecture_models.config import UsageError, as_typed
from lecture_models.runs import renames
from lecture_models.runs.past_run import PastRun

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
_EQUALITIES = ("=", "==", "!=")
_CONDITION = re.compile(r"\s*([\w./-]+)\s*(<=|>=|!=|==|<|>|=)\s*([^<>=!]+?)\s*")
_ORDERED_TEXTS = ("started",)  # ISO 8601: the order of the texts is the order in time.
_FACTS = ("experiment", "status", "preset", "started", "device", "data", "run")


class Condition(NamedTuple):
    """Holds one condition: the name of a fact, an operator, and a value."""

    name: str
    sign: str
    value: str

    @property
    def number(self) -> float | None:
        """Returns the value as a number, None if it is not one."""
        return _number(self.value)


def parse_query(query: str) -> list[Condition]:
    """Parses conditions that are separated by commas or `and`; all of them must hold.

    A comma that no condition follows belongs to the value before it: `code_dims=2,3`. Raises
    UsageError if the text is not a list of conditions.
    """
    conditions = []
    for part in re.split(r"\s+and\s+|,(?=[^,]*[<>=])", query):
        match = _CONDITION.fullmatch(part)
        if not match:
            raise UsageError(
                f"--runs has {part.strip() or 'nothing'!r}; it must be NAME<VALUE with one of "
                f"{' '.join(_OPERATORS)}, and conditions are separated by commas or 'and'"
            )
        condition = Condition(*match.groups())
        if not _has_comparable_value(condition):
            raise UsageError(
                f"--runs has {part.strip()!r}; {condition.sign} must be followed by a number"
            )
        conditions.append(condition)
    return conditions


def _has_comparable_value(condition: Condition) -> bool:
    if condition.sign in _EQUALITIES or condition.name in _ORDERED_TEXTS:
        return True
    return condition.number is not None and not math.isnan(condition.number)


def facts(run: PastRun) -> dict[str, Any]:
    """Returns everything that a condition may name: config, metrics, and facts of the run."""
    device = run.record.get("device")
    return {
        **run.config,
        **run.metrics,
        "experiment": run.experiment,
        "status": run.status,
        "preset": run.record["preset"],
        "started": run.record["started"],
        "device": device.get("kind") if isinstance(device, dict) else None,
        "data": ",".join(str(source["dataset"]) for source in run.record["data"]),
        "run": str(run.folder),
    }


def resolve(conditions: list[Condition], runs: Iterable[PastRun]) -> list[Condition]:
    """Completes names: `loss` becomes `eval/loss`, or else `train/loss`, unless a field has it.

    Raises UsageError, with the nearest name, for a name that no run has.
    """
    known = {name for run in runs for name in facts(run)} | set(_FACTS)
    resolved = []
    for condition in conditions:
        candidates = [f"{prefix}{condition.name}" for prefix in ("", "eval/", "train/")]
        names = [name for name in candidates if name in known]
        if not names:
            short = known | {name.partition("/")[2] for name in known if "/" in name}
            hint = renames.name_hint(condition.name, short)
            raise UsageError(f"no run has {condition.name!r}{hint}")
        resolved.append(condition._replace(name=names[0]))
    return resolved


def matching(conditions: list[Condition], runs: Iterable[PastRun]) -> list[PastRun]:
    """Returns the runs for which all conditions hold; a run that lacks a name is skipped.

    The runs are ordered by the first metric of the conditions, the best first, or by their start
    if the conditions name no metric.
    """
    found = [run for run in runs if all(_holds(condition, facts(run)) for condition in conditions)]
    found.sort(key=lambda run: run.record["started"])
    for condition in conditions:
        if is_metric(condition.name):
            sign = -1.0 if condition.sign.startswith(">") else 1.0
            found.sort(key=lambda run: _last_if_nan(sign * facts(run)[condition.name]))
            break
    return found


def _last_if_nan(value: float) -> tuple[bool, float]:
    return math.isnan(value), value


def is_metric(name: str) -> bool:
    """Returns True for the full name of a metric."""
    return name.startswith(("eval/", "train/"))


def _holds(condition: Condition, values: dict[str, Any]) -> bool:
    value = values.get(condition.name)
    if value is None:
        return False
    compare, number = _OPERATORS[condition.sign], condition.number
    if isinstance(value, int | float) and not isinstance(value, bool) and number is not None:
        return compare(value, number)
    if condition.sign not in _EQUALITIES and condition.name not in _ORDERED_TEXTS:
        return False
    text = as_typed(tuple(value) if isinstance(value, list) else value)
    return compare(text.lower(), condition.value.lower())


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
