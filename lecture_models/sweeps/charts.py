"""Pictures of a sweep as inline SVG: slices, parallel coordinates, and the best so far."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from lecture_models.reports.charts import ticks
from lecture_models.reports.html import text

WIDTH, HEIGHT = 340, 200
LEFT, RIGHT, TOP, BOTTOM = 58, 16, 12, 30
TALL, MARGIN = 300, 60  # Of parallel coordinates.
LONGEST = 14  # Letters of a choice's name on an axis.

Values = Sequence[Any]


class Axis(NamedTuple):
    """Where a value lies from 0 to 1, and what is written along it."""

    places: dict[Any, float] | None  # Of choices; None for numbers.
    low: float
    high: float
    log: bool

    def place(self, value: Any) -> float:
        if self.places is not None:
            return self.places[str(value)]
        return (self._scaled(value) - self.low) / (self.high - self.low)

    def marks(self, about: int = 4) -> list[tuple[float, str]]:
        if self.places is not None:
            named = [(place, _short(name)) for name, place in self.places.items()]
            return named[:: max(1, len(named) // 12)]
        if not self.log:
            return [
                (self.place(value), f"{value:.4g}") for value in ticks(self.low, self.high, about)
            ]
        first, last = math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9)
        if last - first < 1:  # Within a power of ten: both ends say more than one tick.
            return [(share, f"{10.0 ** self._between(share):.2g}") for share in (0.08, 0.92)]
        step = max(1, (last - first) // about)
        return [
            ((power - self.low) / (self.high - self.low), f"{10.0**power:g}")
            for power in range(first, last + 1, step)
        ]

    def _between(self, share: float) -> float:
        return self.low + share * (self.high - self.low)

    def _scaled(self, value: float | int) -> float:
        return math.log10(value) if self.log else float(value)


def axis(values: Values, log: bool) -> Axis:
    """Of numbers from the least to the largest with some room, of anything else its choices."""
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < len(values):
        names = sorted({str(value) for value in values})
        places = {name: (index + 0.5) / len(names) for index, name in enumerate(names)}
        return Axis(places, 0.0, 1.0, False)
    log = log and min(numbers) > 0
    ends = [math.log10(v) if log else float(v) for v in (min(numbers), max(numbers))]
    room = 0.05 * (ends[1] - ends[0]) or 0.05 * abs(ends[0]) or 0.5
    return Axis(None, ends[0] - room, ends[1] + room, log)


def scatter(name: str, metric: str, across: Values, down: Values, labels: Values, log: bool) -> str:
    """One point for each trial, the later the darker: a parameter's slice through the sweep."""
    x, y = axis(across, log), axis(down, False)
    points = "".join(
        f'<circle cx="{_x(x.place(a)):.1f}" cy="{_y(y.place(d)):.1f}" r="3.4" '
        f'fill-opacity="{0.3 + 0.65 * order / max(1, len(labels) - 1):.2f}">'
        f"<title>{text(label)}: {text(name)} {text(_exact(a))}, {text(_exact(d))}</title></circle>"
        for order, (a, d, label) in enumerate(zip(across, down, labels, strict=True))
    )
    return _figure(name, metric, _frame(x, y) + points)


def best_curve(
    metric: str, best: Sequence[tuple[int, float]], trials: Values, values: Values
) -> str:
    """The best so far as stairs, over the trials that it comes from."""
    x, y = axis([*trials], False), axis([*values], False)
    stairs, level = [], None
    for index, value in best:
        left, top = _x(x.place(index)), _y(y.place(value))
        stairs.append(f"M{left:.1f} {top:.1f}" if level is None else f"H{left:.1f}V{top:.1f}")
        level = top
    points = "".join(
        f'<circle cx="{_x(x.place(index)):.1f}" cy="{_y(y.place(value)):.1f}" r="2.6" '
        f'fill-opacity="0.45"><title>trial {index}: {text(_exact(value))}</title></circle>'
        for index, value in zip(trials, values, strict=True)
    )
    curve = f'<path class="curve" d="{"".join(stairs)}"/>'
    return _figure("best so far, over trials", metric, _frame(x, y) + points + curve)


def parallel(
    names: list[str], logs: list[bool], rows: list[list[Any]], goal: str, labels: Values
) -> str:
    """A line for each trial across all parameters to the metric, the better the darker."""
    axes = [axis([row[column] for row in rows], log) for column, log in enumerate(logs)]
    width = max(680, 150 * len(names))
    gap = (width - 2 * MARGIN) / (len(names) - 1)

    def down(share: float) -> float:
        return 34 + (1.0 - share) * (TALL - 54)

    ranks = sorted(range(len(rows)), key=lambda i: rows[i][-1], reverse=goal == "minimize")
    lines = ""
    for rank, index in enumerate(ranks):  # The best is drawn last, over the others.
        path = "L".join(
            f"{MARGIN + column * gap:.1f} {down(each.place(value)):.1f}"
            for column, (each, value) in enumerate(zip(axes, rows[index], strict=True))
        )
        share = rank / max(1, len(rows) - 1)
        best = ' style="stroke:var(--eval);stroke-width:2.6"' if rank == len(rows) - 1 else ""
        lines += (
            f'<path class="curve" d="M{path}" stroke-opacity="{0.12 + 0.8 * share**2:.2f}"{best}>'
            f"<title>{text(labels[index])}: {text(_exact(rows[index][-1]))}</title></path>"
        )
    frame = ""
    for column, (name, each) in enumerate(zip(names, axes, strict=True)):
        x = MARGIN + column * gap
        frame += (
            f'<path class="axis" d="M{x:.1f} {down(1.0):.1f}V{down(0.0):.1f}"/>'
            f'<text x="{x:.1f}" y="16" text-anchor="middle">{text(name)}</text>'
        )
        frame += "".join(
            f'<text x="{x + 5:.1f}" y="{down(place) + 3.5:.1f}">{text(mark)}</text>'
            for place, mark in each.marks(5)
        )
    body = f'<g class="train">{lines}</g>{frame}'
    return (
        f'<figure class="chart"><svg viewBox="0 0 {width} {TALL}" class="train" role="img" '
        f'aria-label="parallel coordinates of {len(rows)} trials">{body}</svg></figure>'
    )


def _frame(x: Axis, y: Axis) -> str:
    rows = "".join(
        f'<path class="grid" d="M{LEFT} {_y(place):.1f}H{WIDTH - RIGHT}"/>'
        f'<text x="{LEFT - 6}" y="{_y(place) + 3.5:.1f}" text-anchor="end">{text(mark)}</text>'
        for place, mark in y.marks()
    )
    feet = "".join(
        f'<path class="tick" d="M{_x(place):.1f} {HEIGHT - BOTTOM}v4"/>'
        f'<text x="{_x(place):.1f}" y="{HEIGHT - 10}" text-anchor="middle">{text(mark)}</text>'
        for place, mark in x.marks()
    )
    return f'{rows}<path class="axis" d="M{LEFT} {HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>{feet}'


def _figure(name: str, metric: str, body: str) -> str:
    return (
        f'<figure class="chart"><figcaption><span class="name">{text(name)}</span>'
        f'<span class="last">{text(metric)}</span></figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" class="train" role="img" '
        f'aria-label="{text(metric)} over {text(name)}">{body}</svg></figure>'
    )


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return TOP + (1.0 - share) * (HEIGHT - TOP - BOTTOM)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _exact(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
