"""A scatter plot of labeled points as a picture, to be logged like any other."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Float32, Float64, Int
from PIL import Image, ImageDraw, ImageFont

COLORS = (
    "#1f77b4",
    "#ff7f0e",
    "#2ca02c",
    "#d62728",
    "#9467bd",
    "#8c564b",
    "#f277c6",
    "#7f7f7f",
    "#bcbd22",
    "#17becf",
    "#1b1b70",
    "#0d5e33",
)  # Ten as most plots have them, then two dark ones; a 13th class has the first again.
OVERSAMPLING = 4  # Drawn so much larger, then averaged: smooth edges.
FRAME, AXIS, TEXT = "#b0b0b0", "#d8d8d8", "#303030"
SHARE_OUTSIDE = 0.5  # Per cent of the points that may lie beyond either limit.


class Window(NamedTuple):
    """The square of the plane that is shown, and of the canvas where; lengths in canvas pixels."""

    low: Float64[np.ndarray, "2"]
    extent: float
    left: float
    top: float
    side: float

    def place(self, points: Float64[np.ndarray, "point 2"]) -> Float64[np.ndarray, "point 2"]:
        """Canvas positions, those outside moved to the edge; the second coordinate points up."""
        shares = np.clip((points - self.low[None, :]) / self.extent, 0.0, 1.0)
        shares[:, 1] = 1.0 - shares[:, 1]
        return np.array([[self.left, self.top]]) + self.side * shares


def scatter_picture(
    points: Float[Array | np.ndarray, "point dimension"],
    labels: Int[Array | np.ndarray, " label"],
    classes: tuple[str, ...],
    side: int = 480,
    limits: tuple[float, float] | None = None,
) -> Float32[np.ndarray, "{side} {side} 3"]:
    """One dot for each point in its class's color, with a legend; in [-1, 1], the same each time.

    Both axes have one scale. `limits` are the lowest and highest value that both show, so that two
    plots can be compared; without them all but 1% of the points are inside. What is outside stands
    at the edge. Dots are drawn in a shuffled order, so that no class hides the others.

    Raises ValueError for points that are not finite or not in the plane, no points, labels that
    are not as many or not of the classes, limits in the wrong order, or a side below 160.
    """
    points, labels = np.asarray(points, np.float64), np.asarray(labels)
    _refuse(points, labels, classes, side, limits)
    canvas = Image.new("RGB", (side * OVERSAMPLING,) * 2, "white")
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(OVERSAMPLING * max(10, side // 38))
    below_legend = _draw_legend(draw, font, classes, canvas.width)
    window = _window(points, limits, draw, font, canvas.width, below_legend)
    _draw_axes(draw, font, window)
    _draw_points(draw, window, points, labels)
    small = canvas.resize((side, side), Image.Resampling.BOX)
    return np.asarray(small, np.float32) / np.float32(127.5) - np.float32(1.0)


def _refuse(points, labels, classes, side, limits) -> None:
    if len(points) == 0 or points.shape[1] != 2:
        raise ValueError(f"points have shape {points.shape}; a scatter plot needs (1 or more, 2)")
    if len(labels) != len(points):
        raise ValueError(f"there are {len(points)} points and {len(labels)} labels")
    broken = int((~np.isfinite(points)).any(axis=1).sum())
    if broken:
        raise ValueError(f"points must be finite; {broken} of {len(points)} are not")
    if labels.min() < 0 or labels.max() >= len(classes):
        raise ValueError(
            f"labels are from {labels.min()} to {labels.max()}; with {len(classes)} classes they "
            f"must be from 0 to {len(classes) - 1}"
        )
    if limits is not None and not 0.0 < limits[1] - limits[0] < math.inf:
        raise ValueError(f"limits are {limits}; the first must be below the second, both finite")
    if side < 160:
        raise ValueError(f"side is {side}; it must be at least 160")


def _color(label: int) -> str:
    return COLORS[label % len(COLORS)]


def _draw_legend(draw, font, classes: tuple[str, ...], width: int) -> float:
    """Rows of dots and names along the top, at most a quarter of the height; gives their end."""
    size = font.size
    x, y = size, 0.5 * size
    for label, name in enumerate(classes):
        shown = " ".join(name.split())
        shown = shown if len(shown) <= 20 else f"{shown[:19]}…"
        needed = 1.1 * size + draw.textlength(shown, font)
        if x > size and x + needed > width - size:
            x, y = size, y + 1.35 * size
        if y + 2.5 * size > width / 4:
            draw.text((x, y + size / 2), f"and {len(classes) - label} more", TEXT, font, "lm")
            break
        _draw_dot(draw, x + 0.4 * size, y + 0.5 * size, 0.34 * size, _color(label))
        draw.text((x + 1.1 * size, y + size / 2), shown, TEXT, font, "lm")
        x += needed + 0.9 * size
    return y + 1.9 * size


def _range(points, limits) -> tuple[Float64[np.ndarray, "2"], float]:
    """The lower left corner and the length of what is shown."""
    if limits is not None:
        return np.full(2, limits[0], np.float64), float(limits[1] - limits[0])
    lowest, highest = np.percentile(points, [SHARE_OUTSIDE, 100.0 - SHARE_OUTSIDE], axis=0)
    extent = 1.12 * float((highest - lowest).max())
    # One point, or all the same: something must be around it.
    extent = max(extent, 1e-6 * float(np.abs(points).max())) or 2.0
    return (lowest + highest - extent) / 2.0, extent


def _window(points, limits, draw, font, width: int, top: float) -> Window:
    low, extent = _range(points, limits)
    widest = max(draw.textlength(_name(value), font) for value in _ticks(float(low[1]), extent))
    left, right, bottom = widest + 1.3 * font.size, 0.9 * font.size, 1.9 * font.size
    side = min(width - left - right, width - top - bottom)
    return Window(low, extent, left + (width - left - right - side) / 2.0, top, side)


def _draw_axes(draw, font, window: Window) -> None:
    """A frame, faint lines through the origin where it is in sight, and ticks with labels."""
    left, top, side = window.left, window.top, window.side
    right, bottom, tick = left + side, top + side, 0.3 * font.size
    origin_x, origin_y = window.place(np.zeros((1, 2)))[0]
    if left < origin_x < right:
        draw.line([(origin_x, top), (origin_x, bottom)], AXIS, OVERSAMPLING)
    if top < origin_y < bottom:
        draw.line([(left, origin_y), (right, origin_y)], AXIS, OVERSAMPLING)
    draw.rectangle([left, top, right, bottom], outline=FRAME, width=OVERSAMPLING)
    for value in _ticks(float(window.low[0]), window.extent):
        x = window.place(np.array([[value, 0.0]]))[0, 0]
        draw.line([(x, bottom), (x, bottom + tick)], FRAME, OVERSAMPLING)
        draw.text((x, bottom + 2.0 * tick), _name(value), TEXT, font, "mt")
    for value in _ticks(float(window.low[1]), window.extent):
        y = window.place(np.array([[0.0, value]]))[0, 1]
        draw.line([(left - tick, y), (left, y)], FRAME, OVERSAMPLING)
        draw.text((left - 2.0 * tick, y), _name(value), TEXT, font, "rm")


def _ticks(low: float, extent: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten: three to eight of them."""
    power = 10.0 ** math.floor(math.log10(extent / 3.0))
    step = power * next((factor for factor in (5.0, 2.0) if extent / power >= 3.0 * factor), 1.0)
    first, last = math.ceil(low / step), math.floor((low + extent) / step)
    return [index * step for index in range(first, last + 1)]


def _name(tick: float) -> str:
    return f"{tick:.10g}"  # 3 * 0.1 is 0.30000000000000004.


def _draw_points(draw, window: Window, points, labels) -> None:
    # As large as few need to be seen, as small as many need not to merge.
    radius = OVERSAMPLING * np.clip(60.0 / math.sqrt(len(points)), 1.1, 3.5)
    order = np.random.default_rng(0).permutation(len(points))
    for (x, y), label in zip(window.place(points)[order], labels[order], strict=True):
        _draw_dot(draw, x, y, radius, _color(int(label)))


def _draw_dot(draw, x: float, y: float, radius: float, color: str) -> None:
    draw.ellipse([x - radius, y - radius, x + radius, y + radius], color)
