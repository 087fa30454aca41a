"""A run's folder, read for its report: what is missing or torn is left out, never a reason to stop.

The report of a run that was killed is the one that somebody needs.
"""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

Series = list[tuple[int, float]]


class Run(NamedTuple):
    """What the folder holds.

    - `series`: values by step, in order, by the name `train/...` or `eval/...`.
    - `last`: the last value of each, and what only the summary has.
    - `pictures`: files by name, then by step in order.
    - `torn`: lines of metrics that could not be read.
    """

    folder: Path
    config: dict[str, Any]
    summary: dict[str, Any]
    series: dict[str, Series]
    last: dict[str, Any]
    texts: dict[str, str]
    pictures: dict[str, list[tuple[int, Path]]]
    torn: int

    @property
    def step(self) -> int | None:
        """The last step that left a trace."""
        if isinstance(self.summary.get("step"), int):
            return self.summary["step"]
        return max((points[-1][0] for points in self.series.values()), default=None)


def read_run(folder: Path) -> Run:
    summary = _json_object(folder / "summary.json")
    values: dict[str, dict[int, float]] = {}
    texts: dict[str, str] = {}
    torn = 0
    for record in _records(folder / "metrics.jsonl"):
        step = record.get("step")
        if not isinstance(step, int):
            torn += 1
            continue
        for group in ("train", "eval"):
            for name, value in as_object(record.get(group)).items():
                number = as_number(value)
                if number is not None:
                    # A resumed run may repeat a step: the later line is the one that counts.
                    values.setdefault(f"{group}/{name}", {})[step] = number
        texts.update((name, str(text)) for name, text in as_object(record.get("texts")).items())
    texts.update((name, str(text)) for name, text in as_object(summary.get("texts")).items())
    series = {name: sorted(points.items()) for name, points in values.items()}
    return Run(
        folder=folder,
        config=_json_object(folder / "config.json"),
        summary=summary,
        series=series,
        last=_last(series, as_object(summary.get("metrics"))),
        texts=texts,
        pictures=pictures_of(folder / "images"),
        torn=torn,
    )


def as_number(value: Any) -> float | None:
    """A float, also from the strings that strict JSON has for what is not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and value.lstrip("+-") not in ("NaN", "Infinity"):
        return None
    try:
        return float(value)
    except OverflowError:  # JSON's integers have no end.
        return math.inf


def as_object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _json_object(path: Path) -> dict[str, Any]:
    try:
        return as_object(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError):
        return {}


def _records(path: Path) -> Iterator[dict[str, Any]]:
    """Lines in order; one that a kill cut short comes as an empty record."""
    try:
        lines = path.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            yield as_object(json.loads(line))
        except ValueError:
            yield {}


def _last(series: dict[str, Series], metrics: dict[str, Any]) -> dict[str, Any]:
    last = {name: points[-1][1] for name, points in series.items()}
    for name, value in _flat(metrics):
        # The summary's bare `loss` may be that of training or of evaluation: the series know.
        if f"eval/{name}" not in last and f"train/{name}" not in last:
            last[name] = value
    return last


def _flat(metrics: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in metrics.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", value


def pictures_of(folder: Path) -> dict[str, list[tuple[int, Path]]]:
    """The files NAME_STEP.png by name, then by step in order."""
    found: dict[str, list[tuple[int, Path]]] = {}
    for path in sorted(folder.glob("*.png")):
        match = re.fullmatch(r"(.+)_(\d+)\.png", path.name)
        if match:
            found.setdefault(match[1], []).append((int(match[2]), path))
    return {name: sorted(files) for name, files in found.items()}
