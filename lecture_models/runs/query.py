"""Conditions on past runs, `eval/loss<1.0, seed=0`: read as text, and never evaluated as code."""

import math
import operator
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from lecture_models.config import UsageError, as_typed, did_you_mean
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
_TERM = re.compile(r"\s*([\w./-]+)\s*(<=|>=|!=|==|<|>|=)\s*([^<>=!]+?)\s*")
_ORDERED_TEXT = ("started",)  # Times, whose texts are in the order of time.
_PLAIN = ("experiment", "status", "preset", "started", "device", "data", "run")


class Term(NamedTuple):
    """One condition; `number` is its value where it is one."""

    name: str
    sign: str
    value: str

    @property
    def number(self) -> float | None:
        return _number(self.value)


def parse_query(given: str) -> list[Term]:
    """Conditions, all of which have to hold, between commas or `and`. Raises UsageError.

    A comma with no condition behind it belongs to a value: `code_dims=2,3`.
    """
    parts = re.split(r"\s+and\s+|,(?=[^,]*[<>=])", given)
    terms = []
    for each in parts:
        found = _TERM.fullmatch(each)
        if not found:
            raise UsageError(
                f"--runs has {each.strip() or 'nothing'!r}; it must be NAME<VALUE with one of "
                f"{' '.join(_OPERATORS)}, several between commas or 'and'"
            )
        term = Term(*found.groups())
        if term.sign not in _EQUALITIES and term.name not in _ORDERED_TEXT and _is_text(term):
            raise UsageError(f"--runs has {each.strip()!r}; what follows {term.sign} is a number")
        terms.append(term)
    return terms


def _is_text(term: Term) -> bool:
    return term.number is None or math.isnan(term.number)


def facts(run: PastRun) -> dict[str, Any]:
    """All that a condition may name: of the run, its config, its metrics."""
    device = run.record.get("device")
    return {
        **run.config,
        **run.metrics,
        "experiment": run.experiment,
        "status": run.status,
        "preset": run.record["preset"],
        "started": run.record["started"],
        "device": device.get("kind") if isinstance(device, dict) else None,
        "data": ",".join(str(each.get("dataset")) for each in run.record["data"]),
        "run": str(run.folder),
    }


def resolve(terms: list[Term], runs: Iterable[PastRun]) -> list[Term]:
    """With the full names: `loss` is `eval/loss`, else `train/loss`, where no field is called so.

    Raises UsageError, with the nearest, for a name that no run has.
    """
    known = {name for run in runs for name in facts(run)} | set(_PLAIN)
    resolved = []
    for term in terms:
        full = [f"{prefix}{term.name}" for prefix in ("", "eval/", "train/")]
        found = [name for name in full if name in known]
        if not found:
            short = known | {name.partition("/")[2] for name in known if "/" in name}
            raise UsageError(f"no run has {term.name!r}{did_you_mean(term.name, sorted(short))}")
        resolved.append(term._replace(name=found[0]))
    return resolved


def matching(terms: list[Term], runs: Iterable[PastRun]) -> list[PastRun]:
    """The runs for which all terms hold, by the first metric among them, the best first.

    A run that lacks a name is left out. Without a metric the order is that of their start.
    """
    found = [run for run in runs if all(_holds(term, facts(run)) for term in terms)]
    found.sort(key=lambda run: run.record["started"])
    for term in terms:
        if is_metric(term.name):
            sign = -1.0 if term.sign.startswith(">") else 1.0
            found.sort(key=lambda run: _last_if_nan(sign * facts(run)[term.name]))
            break
    return found


def _last_if_nan(value: float) -> tuple[bool, float]:
    return math.isnan(value), value


def is_metric(name: str) -> bool:
    return name.startswith(("eval/", "train/"))


def _holds(term: Term, values: dict[str, Any]) -> bool:
    value = values.get(term.name)
    if value is None:
        return False
    compare = _OPERATORS[term.sign]
    if isinstance(value, int | float) and not isinstance(value, bool) and term.number is not None:
        return compare(value, term.number)
    if term.sign not in _EQUALITIES and term.name not in _ORDERED_TEXT:
        return False
    text = as_typed(tuple(value) if isinstance(value, list) else value)
    return compare(text.lower(), term.value.lower())


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
