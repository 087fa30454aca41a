"""Compares runs: their configs, data, metrics, and where they ran."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lecture_models.runs.json_values import as_list, as_object
from lecture_models.runs.past_run import PastRun
from lecture_models.runs.provenance import DIGITS_VARIABLES, FAST_CONVOLUTIONS, shown_commit
from lecture_models.runs.recorded_run import Series, read_series

MAX_HASHES = 4  # Of one data set, shown one by one.


class Difference(NamedTuple):
    """Holds the values of one name in several runs; None for a run without the name."""

    name: str
    values: tuple[Any, ...]

    @property
    def gap(self) -> float | int | None:
        """Returns the second value minus the first; None unless there are exactly two numbers."""
        if len(self.values) != 2 or not all(type(value) in (int, float) for value in self.values):
            return None
        first, second = self.values
        return 0 if same(first, second) else second - first

    @property
    def relative(self) -> float:
        """Returns the size of the gap, divided by the larger of the two absolute values.

        It is infinite if there is no finite gap.
        """
        if self.gap is None or not math.isfinite(self.gap):
            return math.inf
        return abs(self.gap) / max(map(abs, self.values)) if self.gap else 0.0


def same(first: Any, second: Any) -> bool:
    """Compares two values; unlike with `==`, NaN equals itself."""
    both = isinstance(first, float) and isinstance(second, float)
    return first == second or (both and math.isnan(first) and math.isnan(second))


def side_by_side(runs: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """Returns the values of every name that any of the runs has, in the order of appearance."""
    names = dict.fromkeys(name for run in runs for name in run)
    return [Difference(name, tuple(run.get(name) for run in runs)) for name in names]


def differing(runs: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """Returns the names for which not all of the runs have the same value."""
    return [
        difference
        for difference in side_by_side(runs)
        if not all(same(difference.values[0], value) for value in difference.values[1:])
    ]


def origin(session: Mapping[str, Any]) -> dict[str, str]:
    """Returns commit, versions, device and environment of one session, each as a short text."""
    device = as_object(session.get("device"))
    return {
        "commit": shown_commit(as_object(session.get("git"))),
        **{f"version of {k}": str(v) for k, v in as_object(session.get("versions")).items()},
        **{f"device's {k}": str(v) for k, v in device.items()},
        **{str(k): str(v) for k, v in as_object(session.get("environment")).items()},
    }


def data_read(data: Sequence[Any]) -> dict[str, str]:
    """Returns source and SHA-256 of each data set and each set of weights that a run read."""
    texts: dict[str, str] = {}
    for source in map(as_object, data):
        name = f"data {source.get('dataset')}"
        while name in texts:
            name += ", another"
        hashes = [str(as_object(file).get("sha256")) for file in as_list(source.get("files"))]
        texts[name] = f"{source.get('source')}, SHA-256 {_short(hashes)}"
    return texts


def _short(hashes: list[str]) -> str:
    """Shortens each hash; if there are many, hashes them together."""
    if len(hashes) <= MAX_HASHES:
        return ", ".join(sha256[:12] for sha256 in hashes) or "of no file"
    together = hashlib.sha256(" ".join(hashes).encode()).hexdigest()
    return f"{together[:12]} over the hashes of {len(hashes)} files"


def changed_origin(recorded: Mapping[str, Any], present: Mapping[str, Any]) -> list[str]:
    """Returns a line for each way in which the present process differs from a recorded session.

    What an older record does not tell is not compared.
    """
    before, now = origin(recorded), origin(present)
    if "environment" not in recorded:
        unknown = set(present["environment"])
    else:
        unknown = {FAST_CONVOLUTIONS} - as_object(recorded["environment"]).keys()
    now = {name: text for name, text in now.items() if name not in unknown}
    lines = _changes(before, now)
    changed = as_object(recorded.get("changed_config"))
    for name, values in changed.items():
        lines.append(f"{name}: changed at a resume, {' to '.join(map(str, as_list(values)))}")
    git, git_now = as_object(recorded.get("git")), as_object(present.get("git"))
    if git == git_now and git.get("dirty"):
        lines.append("commit: both times the checkout had uncommitted changes, which may differ")
    return lines


def changed_computation(recorded: Mapping[str, Any], present: Mapping[str, Any]) -> list[str]:
    """Returns the lines of `changed_origin` that say why the last digits may differ.

    They name jax, the device, and environment variables, but not the code.
    """
    names = ("version of jax", "version of jaxlib", "device's platform", "device's kind")
    computing = (*names, *DIGITS_VARIABLES, FAST_CONVOLUTIONS)
    lines = changed_origin(recorded, present)
    return [line for line in lines if line.startswith(tuple(f"{name}: " for name in computing))]


def changed_data(recorded: Sequence[Any], present: Sequence[Any]) -> list[str]:
    """Returns a line for each data set that differs from the recorded one."""
    return _changes(data_read(recorded), data_read(present))


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [
        f"{difference.name}: {_or_nothing(difference.values[0])} recorded, "
        f"{_or_nothing(difference.values[1])} now"
        for difference in differing([before, now])
    ]


def _or_nothing(value: Any) -> str:
    return "nothing" if value is None else str(value)


class Reproduction(NamedTuple):
    """Holds the comparison of a run with its repetition.

    Attributes:
        metrics: all metrics of either run.
        different: the metrics that differ by more than the tolerance.
        texts: the names of the texts that differ.
        num_texts: the number of texts of the first run.
        state: True if the last states are equal; None if one of them was not recorded.
        first_step: the first step at which any metric differs at all; None if none does.
        tolerance: the relative difference that is allowed.
    """

    metrics: list[Difference]
    different: list[Difference]
    texts: list[str]
    num_texts: int
    state: bool | None
    first_step: int | None
    tolerance: float

    @property
    def equal(self) -> bool:
        """Returns True if the run was reproduced."""
        if self.different or self.texts:
            return False
        # With a tolerance, the state and the earlier metrics may differ in their last digits.
        return self.tolerance > 0 or (self.state is not False and self.first_step is None)


def repetition(first: PastRun, second: PastRun, tolerance: float = 0.0) -> Reproduction:
    """Compares a run with its repetition.

    Args:
        first: the recorded run.
        second: its repetition.
        tolerance: the relative difference of a metric that is allowed.

    Returns:
        The differences in metrics, texts and state.
    """
    metrics = side_by_side([first.metrics, second.metrics])
    # A run whose cadence was changed at a resume has its earlier lines at other steps.
    has_one_cadence = not any("changed_config" in session for session in first.record["sessions"])
    hashes = [run.summary.get("state_sha256") for run in (first, second)]
    texts = [as_object(run.summary.get("texts")) for run in (first, second)]
    return Reproduction(
        metrics=metrics,
        different=[metric for metric in metrics if metric.relative > tolerance],
        texts=[text.name for text in differing(texts)],
        num_texts=len(texts[0]),
        state=None if None in hashes else hashes[0] == hashes[1],
        first_step=_first_step(first, second) if has_one_cadence else None,
        tolerance=tolerance,
    )


def _first_step(first: PastRun, second: PastRun) -> int | None:
    before, now = read_series(first.folder), read_series(second.folder)
    steps = [
        step
        for name in before.keys() | now.keys()
        for step in _differing_steps(before.get(name, []), now.get(name, []))
    ]
    return min(steps, default=None)


def _differing_steps(first: Series, second: Series) -> list[int]:
    before, now = dict(first), dict(second)
    return [
        step for step in before.keys() | now.keys() if not same(before.get(step), now.get(step))
    ]
