"""Compares past runs, as Markdown or JSON: shows what differs, and counts what is equal."""

from typing import Any, NamedTuple

from lecture_models.files import json_text
from lecture_models.reports.html import exact, signed
from lecture_models.reports.markdown import markdown_columns
from lecture_models.runs.difference import (
    Difference,
    data_read,
    differing,
    origin,
    side_by_side,
)
from lecture_models.runs.past_run import PastRun


class ComparedPart(NamedTuple):
    """Compares one part of several runs, such as their Config.

    Attributes:
        title: the name of the part.
        different: the names whose values differ, with the value of each run.
        equal: the number of names that have the same value in all runs.
    """

    title: str
    different: list[Difference]
    equal: int


class Comparison(NamedTuple):
    """Holds the folders of the compared runs, and the comparison of each part."""

    runs: tuple[str, ...]
    parts: tuple[ComparedPart, ...]


def compare_runs(runs: list[PastRun]) -> Comparison:
    """Compares runs by outline, Config, data, origin and last metrics."""
    parts = {
        "Run": [_outline(run) for run in runs],
        "Config": [run.config for run in runs],
        "Data": [data_read(run.record["data"]) for run in runs],
        "Versions and device": [origin(run.record) for run in runs],
        "Metrics": [run.metrics for run in runs],
    }
    return Comparison(
        tuple(str(run.folder) for run in runs),
        tuple(_part(title, values) for title, values in parts.items()),
    )


def _part(title: str, values: list[dict[str, Any]]) -> ComparedPart:
    different = differing(values)
    return ComparedPart(title, different, len(side_by_side(values)) - len(different))


def _outline(run: PastRun) -> dict[str, Any]:
    return {
        "experiment": run.experiment,
        "preset": run.record["preset"],
        "status": run.status,
        "step": run.summary.get("step"),
    }


def markdown(comparison: Comparison) -> str:
    """Returns a comparison as Markdown, with a column for each run."""
    letters = [chr(ord("A") + i) if i < 26 else str(i + 1) for i in range(len(comparison.runs))]
    names = [f"- {letter}: {run}" for letter, run in zip(letters, comparison.runs, strict=True)]
    sections = [_section(part, letters) for part in comparison.parts]
    return "\n".join(["## Runs compared", "", *names, "", *sections])


def _section(part: ComparedPart, letters: list[str]) -> str:
    counts = f"{len(part.different)} different, {part.equal} equal"
    heading = f"### {part.title}: {counts}\n"
    if not part.different:
        return heading
    has_gap = any(row.gap is not None for row in part.different)
    header = ["", *letters, *(["B - A"] if has_gap else [])]
    rows = [
        [row.name, *exact(row.values), *([signed(row.gap)] if has_gap else [])]
        for row in part.different
    ]
    return f"{heading}\n{markdown_columns(header, rows)}"


def as_json(comparison: Comparison) -> str:
    """Returns a comparison as JSON, with the values of every run.

    A value that is not finite is the text "NaN", "Infinity" or "-Infinity".
    """
    content = {
        "runs": list(comparison.runs),
        **{
            part.title.lower().replace(" ", "_"): {
                "different": {row.name: list(row.values) for row in part.different},
                "equal": part.equal,
            }
            for part in comparison.parts
        },
    }
    return json_text(content, indent=2) + "\n"


FORMATS = {".md": markdown, ".json": as_json}
