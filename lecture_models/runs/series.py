"""Curves of runs by the thousand: read as by `report_run.read_run`, in a third of the time."""

import json
import math
from pathlib import Path
from typing import Any

from lecture_models.runs.reader import Series, as_number


def read_series(path: Path, most: int) -> dict[str, Series]:
    """By `train/NAME` and `eval/NAME`; none where the file is not there.

    A resumed run may repeat a step: the later line counts. A torn line is left out. Of a file of
    more than `most` lines, every n-th and the last; the lines of evaluations always.
    """
    try:
        content = path.read_text("utf-8", errors="replace")
    except OSError:
        return {}
    values: dict[str, dict[int, float]] = {}
    for record in _records(_some(content.splitlines(), most)):
        step = record.get("step") if isinstance(record, dict) else None
        if type(step) is not int:
            continue
        for prefix in ("train", "eval"):
            group = record.get(prefix)
            if type(group) is not dict:
                continue
            for name, value in group.items():
                found = value if type(value) is float else as_number(value)
                if found is not None:
                    key = f"{prefix}/{name}"
                    if key not in values:
                        values[key] = {}
                    values[key][step] = found
    return {name: sorted(points.items()) for name, points in values.items()}


def _some(lines: list[str], most: int) -> list[str]:
    every = math.ceil(len(lines) / most)
    if every <= 1:
        return lines
    last = len(lines) - 1
    return [
        line for index, line in enumerate(lines) if (last - index) % every == 0 or '"eval"' in line
    ]


def _records(lines: list[str]) -> list[Any]:
    """All lines as one text, which is read faster than each; each where one of them is torn."""
    try:
        return json.loads(f"[{','.join(lines)}]")
    except (ValueError, RecursionError):
        return [record for line in lines if (record := _record(line)) is not None]


def _record(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
