"""Past runs beside each other, as Markdown or JSON: only what differs, and how much is equal."""

import json
from typing import Any, NamedTuple

from lecture_models.reports.markdown import markdown_columns
from lecture_models.runs.difference import (
    Difference,
    data_read,
    differing,
    origin,
    side_by_side,
)
from lecture_models.runs.past_run import PastRun


class Part(NamedTuple):
    """One kind of what runs have; `equal` counts the names with one value in all of them."""

    title: str
    different: list[Difference]
    equal: int


class Comparison(NamedTuple):
    runs: tuple[str, ...]
    parts: tuple[Part, ...]


def compare_runs(runs: list[PastRun]) -> Comparison:
    kinds = {
        "Run": [_outline(run) for run in runs],
        "Config": [run.config for run in runs],
        "Data": [data_read(run.record["data"]) for run in runs],
        "Versions and device": [origin(run.record) for run in runs],
        "Metrics": [run.metrics for run in runs],
    }
    return Comparison(
        tuple(str(run.folder) for run in runs),
        tuple(_part(title, values) for title, values in kinds.items()),
    )


def _part(title: str, values: list[dict[str, Any]]) -> Part:
    different = differing(values)
    return Part(title, different, len(side_by_side(values)) - len(different))


def _outline(run: PastRun) -> dict[str, Any]:
    return {
        "experiment": run.experiment,
        "preset": run.record["preset"],
        "status": run.status,
        "step": run.summary.get("step"),
    }


def markdown(comparison: Comparison) -> str:
    letters = [chr(ord("A") + i) if i < 26 else str(i + 1) for i in range(len(comparison.runs))]
    names = [f"- {letter}: {run}" for letter, run in zip(letters, comparison.runs, strict=True)]
    sections = [_section(part, letters) for part in comparison.parts]
    return "\n".join(["## Runs compared", "", *names, "", *sections])


def _section(part: Part, letters: list[str]) -> str:
    counts = f"{len(part.different)} different, {part.equal} equal"
    heading = f"### {part.title}: {counts}\n"
    if not part.different:
        return heading
    has_gap = any(each.gap is not None for each in part.different)
    header = ["", *letters, *(["B - A"] if has_gap else [])]
    rows = [
        [each.name, *_texts(each), *([_gap(each)] if has_gap else [])] for each in part.different
    ]
    return f"{heading}\n{markdown_columns(header, rows)}"


def _texts(each: Difference) -> list[str]:
    """Eight digits, or all of them where eight are the same."""
    short = [_text(value, ".8g") for value in each.values]
    return short if len(set(short)) > 1 else [_text(value, "") for value in each.values]


def _text(value: Any, digits: str) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return format(value, digits)
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _gap(each: Difference) -> str:
    return "-" if each.gap is None else f"{each.gap:+.3g}"


def as_json(comparison: Comparison) -> str:
    content = {
        "runs": list(comparison.runs),
        **{
            part.title.lower().replace(" ", "_"): {
                "different": {each.name: list(each.values) for each in part.different},
                "equal": part.equal,
            }
            for part in comparison.parts
        },
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


FORMATS = {".md": markdown, ".json": as_json}
