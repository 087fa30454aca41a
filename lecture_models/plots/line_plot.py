"""Draws curves over a common axis."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Float32

from lecture_models.plots.class_colors import class_color
from lecture_models.plots.figure import GRAY, new_figure, to_image


class Curve(NamedTuple):
    """Describes one curve of a plot.

    Attributes:
        name: the words of the legend; "" for none.
        x: the positions, ascending.
        y: the values; NaN breaks the line.
        color: index of the curve's color; two curves that belong together share it.
        style: the line: "-", "--", ":" or "" for none.
        marker: "o" draws a dot at each value; "" for none.
        spread: half the height of a band around the values; None for none.
    """

    name: str
    x: Float[Array | np.ndarray, " point"]
    y: Float[Array | np.ndarray, " point"]
    color: int = 0
    style: str = "-"
    marker: str = ""
    spread: Float[Array | np.ndarray, " point"] | None = None


def line_plot(
    curves: list[Curve],
    axis_names: tuple[str, str],
    title: str = "",
    logarithmic: str = "",
    limits: tuple[float | None, float | None] | None = None,
    tick_names: tuple[str, ...] = (),
) -> Float32[np.ndarray, "side side 3"]:
    """Draws curves with a legend.

    Args:
        curves: one or more curves.
        axis_names: labels of the horizontal and of the vertical axis.
        title: text above the plot.
        logarithmic: the axes with logarithmic scale: "", "x", "y" or "xy". Values that are not
            above 0 are then left out.
        limits: lowest and highest value of the vertical axis; None fits all values.
        tick_names: words in place of the positions 0, 1, ...; () for numbers.

    Returns:
        RGB image in [-1, 1], identical for identical arguments.

    Raises:
        ValueError: there is no curve, or one has not as many values as positions.
    """
    if not curves:
        raise ValueError("there are no curves; at least 1 is needed")
    figure = new_figure()
    axes = figure.add_subplot()
    for curve in curves:
        _draw(axes, curve)
    if "x" in logarithmic:
        axes.set_xscale("log")
    if "y" in logarithmic:
        axes.set_yscale("log", nonpositive="mask")
    axes.set(xlabel=axis_names[0], ylabel=axis_names[1], title=title, ylim=limits)
    for name in logarithmic:
        thin_ticks(getattr(axes, f"{name}axis"))
    if tick_names:
        axes.set_xticks(range(len(tick_names)), tick_names)
    axes.grid(color=GRAY, linewidth=0.3)
    if any(curve.name for curve in curves):
        figure.legend(loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    return to_image(figure)


def thin_ticks(axis) -> None:
    """Writes 1, 2 and 5 in plain numbers on a short logarithmic axis, where labels would overlap.

    Longer axes keep matplotlib's powers of 10.

    Args:
        axis: a logarithmic axis of matplotlib, whose limits are set; it is changed.
    """
    from matplotlib import ticker

    low, high = axis.get_view_interval()
    if high < 1e3 * low and low >= 1e-3 and high <= 1e5:
        axis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(lambda value, place: f"{value:g}")
    axis.set_minor_formatter(ticker.NullFormatter())


def _draw(axes, curve: Curve) -> None:
    x, y = np.asarray(curve.x), np.asarray(curve.y)
    if len(x) != len(y):
        raise ValueError(f"the curve {curve.name!r} has {len(x)} positions and {len(y)} values")
    color = class_color(curve.color)
    axes.plot(
        x,
        y,
        color=color,
        linestyle=curve.style or "none",
        marker=curve.marker or None,
        markersize=4,
        label=curve.name or None,
    )
    if curve.spread is not None:
        spread = np.asarray(curve.spread)
        axes.fill_between(x, y - spread, y + spread, color=color, alpha=0.2, linewidth=0)
