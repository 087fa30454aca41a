"""What differs between runs: config, origin, metrics."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lecture_models.runs.past_run import PastRun
from lecture_models.runs.provenance import shown_commit
from lecture_models.runs.reader import Series, as_list, as_object, read_run

MOST_HASHES = 4  # That are shown one by one.


class Difference(NamedTuple):
    """One name with its value in each run; None where a run has none."""

    name: str
    values: tuple[Any, ...]

    @property
    def gap(self) -> float | int | None:
        """The second less the first; None but for two numbers."""
        if len(self.values) != 2 or not all(type(each) in (int, float) for each in self.values):
            return None
        first, second = self.values
        return 0 if same(first, second) else second - first

    @property
    def relative(self) -> float:
        """The gap by the larger of the two; infinite where there is no such number."""
        if self.gap is None or not math.isfinite(self.gap):
            return math.inf
        return abs(self.gap) / max(map(abs, self.values)) if self.gap else 0.0


def same(first: Any, second: Any) -> bool:
    """NaN is itself here."""
    both = isinstance(first, float) and isinstance(second, float)
    return first == second or (both and math.isnan(first) and math.isnan(second))


def side_by_side(runs: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """Every name of any of them, in the order of the first that has it."""
    names = dict.fromkeys(name for each in runs for name in each)
    return [Difference(name, tuple(each.get(name) for each in runs)) for name in names]


def differing(runs: Sequence[Mapping[str, Any]]) -> list[Difference]:
    return [
        each
        for each in side_by_side(runs)
        if not all(same(each.values[0], other) for other in each.values[1:])
    ]


def origin(session: Mapping[str, Any]) -> dict[str, str]:
    """Commit, versions, device and environment of one session of a run, each a short text."""
    device = as_object(session.get("device"))
    return {
        "commit": shown_commit(as_object(session.get("git"))),
        **{f"version of {k}": str(v) for k, v in as_object(session.get("versions")).items()},
        **{f"device's {k}": str(v) for k, v in device.items()},
        **{str(k): str(v) for k, v in as_object(session.get("environment")).items()},
    }


def data_read(data: Sequence[Any]) -> dict[str, str]:
    """Source and SHA-256 of every data set and every network of weights that a run read."""
    found: dict[str, str] = {}
    for each in map(as_object, data):
        name = f"data {each.get('dataset')}"
        while name in found:
            name += ", another"
        hashes = [str(as_object(file).get("sha256")) for file in as_list(each.get("files"))]
        found[name] = f"{each.get('source')}, SHA-256 {_short(hashes)}"
    return found


def _short(hashes: list[str]) -> str:
    """The beginning of each, and where they are many that of the hash of all."""
    if len(hashes) <= MOST_HASHES:
        return ", ".join(sha256[:12] for sha256 in hashes) or "of no file"
    together = hashlib.sha256(" ".join(hashes).encode()).hexdigest()
    return f"{together[:12]} over those of {len(hashes)} files"


def changed_origin(recorded: Mapping[str, Any], present: Mapping[str, Any]) -> list[str]:
    """One line for each thing in which the present process differs from a recorded session."""
    before, now = origin(recorded), origin(present)
    if "environment" not in recorded:  # An older record: nothing is known of it.
        now = {name: now[name] for name in now if name not in present["environment"]}
    lines = [
        f"{d.name}: {_or_absent(d.values[0])} recorded, {_or_absent(d.values[1])} now"
        for d in differing([before, now])
    ]
    git, git_now = as_object(recorded.get("git")), as_object(present.get("git"))
    if git == git_now and git.get("dirty"):
        lines.append(
            "commit: files had been changed since it, then and now; whether alike is not known"
        )
    return lines


def changed_data(recorded: Sequence[Any], present: Sequence[Any]) -> list[str]:
    return [
        f"{each.name}: {_or_absent(each.values[0])} recorded, {_or_absent(each.values[1])} now"
        for each in differing([data_read(recorded), data_read(present)])
    ]


def _or_absent(value: Any) -> str:
    return "nothing" if value is None else str(value)


class Reproduction(NamedTuple):
    """A run beside the one that repeated it.

    `metrics` are all of both; `different` those beyond the tolerance, and so are `texts` by name.
    `state` is whether the last state is equal, None where none was recorded; `first_step` is the
    first at which any metric differed by anything.
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
        if self.different or self.texts:
            return False
        # Within a tolerance neither the bits nor the way there need be the same.
        return self.tolerance > 0 or (self.state is not False and self.first_step is None)


def repetition(first: PastRun, second: PastRun, tolerance: float = 0.0) -> Reproduction:
    """`tolerance` is the relative difference of a metric that counts as none."""
    metrics = side_by_side([first.metrics, second.metrics])
    hashes = [run.summary.get("state_sha256") for run in (first, second)]
    texts = [as_object(run.summary.get("texts")) for run in (first, second)]
    return Reproduction(
        metrics=metrics,
        different=[each for each in metrics if each.relative > tolerance],
        texts=[each.name for each in differing(texts)],
        num_texts=len(texts[0]),
        state=None if None in hashes else hashes[0] == hashes[1],
        first_step=_first_step(first, second),
        tolerance=tolerance,
    )


def _first_step(first: PastRun, second: PastRun) -> int | None:
    series = [read_run(run.folder).series for run in (first, second)]
    steps = [
        step
        for name in series[0].keys() | series[1].keys()
        for step in _steps_apart(series[0].get(name, []), series[1].get(name, []))
    ]
    return min(steps, default=None)


def _steps_apart(first: Series, second: Series) -> list[int]:
    before, now = dict(first), dict(second)
    return [
        step for step in before.keys() | now.keys() if not same(before.get(step), now.get(step))
    ]
