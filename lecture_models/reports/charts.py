"""Describes charts as plain data, which `templates/charts.js` draws in the browser."""

import math
import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

from lecture_models.reports.html import MOST_DIGITS, alike, apart, number

MOST_POINTS = 500  # In a curve of a run's report.
MOST_ROWS = 12  # In the table that replaces a curve where scripts are off.
LARGEST = 1e300  # The difference of two larger numbers overflows.
SMALLEST = 1e-300  # Below, a number has no full precision.

Points = Sequence[tuple[int, float | None]]


class Chart(NamedTuple):
    """Describes a chart on a page.

    Attributes:
        title: words above the chart, on the left.
        note: words above the chart, on the right.
        data: what `templates/charts.js` draws; that file lists the kinds of charts. `label`
            describes the chart to a screen reader.
        warning: words below the chart; "" for none.
        columns: the names of the columns of the table that replaces the chart without scripts.
        rows: the rows of that table; () if `elsewhere` says where the values are.
        elsewhere: words that replace the table.
    """

    title: str
    note: str
    data: dict[str, Any]
    warning: str = ""
    columns: tuple[str, ...] = ()
    rows: Sequence[tuple[str, ...]] = ()
    elsewhere: str = ""


def curve(name: str, series: Sequence[tuple[int, float]]) -> Chart:
    """Describes the chart of one metric over steps.

    A value that is not finite breaks the line; their number is written below it.
    """
    points = thin([(step, finite(value)) for step, value in series], MOST_POINTS)
    broken = sum(finite(value) is None for _, value in series)
    drawn = {"points": flat(points, MOST_DIGITS)}
    return _line_chart(name, "", last_value(series), drawn)._replace(
        warning=f"{broken:,} of {len(series):,} values are not finite" if broken else "",
        columns=("step", name),
        rows=[
            (f"{step:,}", "not finite" if value is None else f"{value:.{MOST_DIGITS}g}")
            for step, value in thin(points, MOST_ROWS)
        ],
    )


def last_value(series: Sequence[tuple[int, float]]) -> str:
    """Returns a curve's last value, with the digits that tell it from its lowest and highest."""
    values = [value for _, value in series if math.isfinite(value)]
    ends = [min(values), max(values)] if values else []
    return number(series[-1][1], apart([series[-1][1], *ends]))


def band_curve(name: str, members: Sequence[Sequence[tuple[int, float]]]) -> Chart:
    """Describes the mean of a metric over several runs, in a band from the lowest to the highest.

    Args:
        name: the metric.
        members: the curve of each run; a value that is not finite is left out.
    """
    by_step: dict[int, list[float]] = {}
    for series in members:
        for step, value in series:
            by_step.setdefault(step, [])
            if finite(value) is not None:
                by_step[step].append(value)
    mean = [
        (step, statistics.fmean(values) if values else None)
        for step, values in sorted(by_step.items())
    ]
    points = thin(mean, MOST_POINTS)
    known = [step for step, value in points if value is not None]
    ends = [[(step, end(by_step[step])) for step in known] for end in (min, max)]
    low, high = (flat(line, MOST_DIGITS) for line in ends)
    band = [part for at in range(0, len(low), 2) for part in (low[at], low[at + 1], high[at + 1])]
    last = last_value([(step, math.nan if value is None else value) for step, value in mean])
    drawn = {"points": flat(points, MOST_DIGITS), "band": band}
    return _line_chart(name, f", mean of {len(members)} runs", last, drawn)._replace(
        columns=("step", "mean", "lowest", "highest"),
        rows=[
            (f"{step:,}", *alike([value, min(by_step[step]), max(by_step[step])]))
            for step, value in thin(mean, MOST_ROWS)
            if value is not None
        ],
    )


def _line_chart(name: str, kind: str, last: str, drawn: dict[str, Any]) -> Chart:
    """Returns the chart of one metric over steps, without the table that may replace it.

    Args:
        name: the metric.
        kind: words of the label that say what the line is; "" for the metric of one run.
        last: the last value.
        drawn: the points of the line, and the band around it if there is one.
    """
    look = "eval" if name.startswith("eval/") else "train"
    return Chart(
        title=name,
        note=last,
        data={
            "kind": "lines",
            "label": f"{name} over steps{kind}, last value {last}",
            "x": "step",
            "series": [{"name": name, "look": look, **drawn}],
        },
    )


def thin(points: Points, most: int) -> Points:
    """Returns at most `most` points of a curve, in order.

    Both ends stay, and of every stretch the lowest point, the highest and one gap: keeping every
    n-th point would lose the spike that explains a run.
    """
    if len(points) <= most:
        return points
    inner = points[1:-1]
    size = math.ceil(len(inner) / ((most - 2) // 3))
    kept = {points[0], points[-1]}
    for start in range(0, len(inner), size):
        stretch = inner[start : start + size]
        values = [(value, step) for step, value in stretch if value is not None]
        if values:
            kept |= {(step, value) for value, step in (min(values), max(values))}
        kept.update([point for point in stretch if point[1] is None][:1])
    return sorted(kept, key=lambda point: point[0])


def finite(value: float | None) -> float | None:
    """Returns a value that can be drawn; None for one that is not finite, or nearly so."""
    if value is None or not abs(value) < LARGEST:
        return None
    return value if abs(value) > SMALLEST else 0.0


def flat(points: Points, digits: int) -> list[float | int | None]:
    """Returns steps and values by turns, rounded so that a page stays small.

    Args:
        points: steps and values; None where a value is not finite.
        digits: significant digits of a value, at most 9; a curve whose values differ little gets
            as many more as it needs to keep its shape.
    """
    values = [value for _, value in points if value is not None]
    spread = max(values) - min(values) if values else 0.0
    if spread:
        largest = max(abs(value) for value in values)
        digits += max(0, round(math.log10(largest / spread)))
    digits = min(digits, MOST_DIGITS) if spread else MOST_DIGITS
    return [
        part
        for step, value in points
        for part in (step, None if value is None else float(f"{value:.{digits}g}"))
    ]
