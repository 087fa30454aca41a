"""Curves as inline SVG: no library, no script, no font to fetch."""

import html
import math
from collections.abc import Sequence

WIDTH, HEIGHT = 340, 180
LEFT, RIGHT, TOP, BOTTOM = 46, 18, 10, 26
MAX_POINTS = 500
MARKED_POINTS = 40  # Up to here every point is drawn and can be pointed at.
LARGEST = 1e300  # The difference of two larger numbers overflows.

Points = Sequence[tuple[int, float | None]]


def chart(name: str, series: Sequence[tuple[int, float]], last: str) -> str:
    """One metric over steps as a figure: axes, ticks, and `last`, the final value as text.

    A value that is not finite breaks the line; how many there were is written below it.
    """
    kept = thin([(step, _finite(value)) for step, value in series], MAX_POINTS)
    drawn = [(step, value) for step, value in kept if value is not None]
    broken = sum(_finite(value) is None for _, value in series)
    note = f'<p class="broken">{broken:,} of {len(series):,} not finite</p>' if broken else ""
    heading = (
        f'<figcaption><span class="name">{html.escape(name)}</span>'
        f'<span class="last">{html.escape(last)}</span></figcaption>'
    )
    body = _svg(name, kept, drawn) if drawn else '<p class="empty">no finite value</p>'
    return f'<figure class="chart">{heading}{body}{note}</figure>'


def thin(points: Points, most: int) -> Points:
    """At most `most` points: both ends, and of every stretch the lowest, the highest and one gap.

    Keeping every n-th would lose the spike that explains a run.
    """
    if len(points) <= most:
        return points
    inner = points[1:-1]
    size = math.ceil(len(inner) / ((most - 2) // 3))
    kept = {points[0], points[-1]}
    for start in range(0, len(inner), size):
        stretch = inner[start : start + size]
        finite = [(value, step) for step, value in stretch if value is not None]
        if finite:
            kept |= {(step, value) for value, step in (min(finite), max(finite))}
        kept.update([point for point in stretch if point[1] is None][:1])
    return sorted(kept, key=lambda point: point[0])


def ticks(low: float | int, high: float | int, about: int) -> list[float]:
    """Round numbers from `low` to `high`, some `about` of them."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(index * step) for index in range(first, last + 1)]


def _svg(name: str, kept: Points, drawn: list[tuple[int, float]]) -> str:
    left, right = kept[0][0], max(kept[-1][0], kept[0][0] + 1)
    low, high = _range([value for _, value in drawn])

    def across(step: float | int) -> float:
        return LEFT + (step - left) / (right - left) * (WIDTH - LEFT - RIGHT)

    def down(value: float) -> float:
        return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)

    grid = [
        f'<path class="grid" d="M{LEFT} {down(value):.1f}H{WIDTH - RIGHT}"/>'
        f'<text x="{LEFT - 6}" y="{down(value) + 3.5:.1f}" text-anchor="end">{_label(value)}</text>'
        for value in ticks(low, high, 5)
    ]
    feet = [
        f'<path class="tick" d="M{across(step):.1f} {HEIGHT - BOTTOM}v4"/>'
        f'<text x="{across(step):.1f}" y="{HEIGHT - 8}" text-anchor="middle">{_label(step)}</text>'
        for step in ticks(left, right, 4)
        if step == int(step)
    ]
    path, pen = [], "M"
    for step, value in kept:
        if value is not None:
            path.append(f"{pen}{across(step):.1f} {down(value):.1f}")
        pen = "M" if value is None else "L"
        if value is not None and path[-1][0] == "M":
            path.append("h0")  # A point between two gaps shows as the line's round end.
    marked = drawn if len(drawn) <= MARKED_POINTS else drawn[-1:]
    dots = [
        f'<circle cx="{across(step):.1f}" cy="{down(value):.1f}" r="2.4">'
        f"<title>step {step:,}: {value:.6g}</title></circle>"
        for step, value in marked
    ]
    kind = "eval" if name.startswith("eval/") else "train"
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" class="{kind}" role="img" '
        f'aria-label="{html.escape(name)} over steps">{"".join(grid)}'
        f'<path class="axis" d="M{LEFT} {HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>{"".join(feet)}'
        f'<path class="curve" d="{"".join(path)}"/>{"".join(dots)}</svg>'
    )


def _range(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low) * 0.06
    if room <= 1e-9 * max(abs(low), abs(high)):  # Constant: rounding would fill the axis.
        room = max(abs(low) * 0.1, 1e-12) if low else 1.0
    return low - room, high + room


def _finite(value: float) -> float | None:
    return value if abs(value) < LARGEST else None


def _label(value: float | int) -> str:
    size = abs(value)
    if 1e3 <= size < 1e6:
        return f"{value / 1e3:.4g}k"
    if 1e6 <= size < 1e9:
        return f"{value / 1e6:.4g}M"
    return f"{value:.4g}" if size > 1e-300 else "0"
