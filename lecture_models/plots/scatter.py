"""Draws labeled points of the plane as a scatter plot."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Float32, Float64, Int

from lecture_models.plots.class_colors import class_color
from lecture_models.plots.figure import GRAY, new_figure, shorten, to_image

PERCENT_OUTSIDE = 0.5  # Of the points, beyond each end of an axis.
LEGEND_POINTS = 9  # Font size.
LEGEND_ROWS = 6  # More would take over a quarter of the height.
LEGEND_WIDTH = 320  # Points of 1/72 inch.
LONGEST_NAME = 20
LONGEST_LABEL = 6  # Characters of a tick's label, so that matplotlib's usual number of them fits.


class AxisLimits(NamedTuple):
    """Holds the lower left corner of the square that is shown, and the length of its sides."""

    low: Float64[np.ndarray, "2"]
    extent: float


def scatter_plot(
    points: Float[Array | np.ndarray, "point dimension"],
    labels: Int[Array | np.ndarray, " label"],
    classes: tuple[str, ...],
    limits: tuple[float, float] | None = None,
    axis_names: tuple[str, str] = ("", ""),
    title: str = "",
) -> Float32[np.ndarray, "side side 3"]:
    """Draws one dot for each point in the color of its class, with a legend.

    Both axes have the same scale. Points outside the limits are drawn at the edge. Dots are drawn
    in a shuffled order, so that no class hides the others.

    Args:
        points: coordinates (horizontal, vertical); one or more, `dimension` must be 2.
        labels: class of each point, from 0.
        classes: names for the legend.
        limits: lowest and highest value of both axes, so that two plots can be compared; None
            chooses limits with all but 1% of the points inside.
        axis_names: labels of the horizontal and of the vertical axis.
        title: text above the plot.

    Returns:
        RGB image in [-1, 1], identical for identical arguments.

    Raises:
        ValueError: points are absent, not finite or not two-dimensional, there are not as many
            labels as points or a label has no class, or the limits are in the wrong order.
    """
    points, labels = np.asarray(points, np.float64), np.asarray(labels)
    _check(points, labels, classes, limits)
    shown = _axis_limits(points, limits)
    figure = new_figure()
    axes = figure.add_subplot(box_aspect=1.0)
    axes.set(
        xlim=(shown.low[0], shown.low[0] + shown.extent),
        ylim=(shown.low[1], shown.low[1] + shown.extent),
        xlabel=axis_names[0],
        ylabel=axis_names[1],
        title=title,
    )
    _label_ticks(axes)
    axes.axhline(0.0, color=GRAY, linewidth=0.5, zorder=0)
    axes.axvline(0.0, color=GRAY, linewidth=0.5, zorder=0)
    _draw_points(axes, shown, points, labels)
    _draw_legend(figure, classes)
    return to_image(figure)


def _check(points, labels, classes, limits) -> None:
    if len(points) == 0 or points.shape[1] != 2:
        raise ValueError(f"points have shape {points.shape}; a scatter plot needs (1 or more, 2)")
    if len(labels) != len(points):
        raise ValueError(f"there are {len(points)} points and {len(labels)} labels")
    not_finite = int((~np.isfinite(points)).any(axis=1).sum())
    if not_finite:
        raise ValueError(f"points must be finite; {not_finite} of {len(points)} are not")
    if labels.min() < 0 or labels.max() >= len(classes):
        raise ValueError(
            f"labels are from {labels.min()} to {labels.max()}; with {len(classes)} classes they "
            f"must be from 0 to {len(classes) - 1}"
        )
    if limits is not None and not 0.0 < limits[1] - limits[0] < math.inf:
        raise ValueError(f"limits are {limits}; the first must be below the second, both finite")


def _axis_limits(points, limits) -> AxisLimits:
    if limits is not None:
        return AxisLimits(np.full(2, limits[0], np.float64), float(limits[1] - limits[0]))
    lowest, highest = np.percentile(points, [PERCENT_OUTSIDE, 100.0 - PERCENT_OUTSIDE], axis=0)
    extent = 1.12 * float((highest - lowest).max())
    # A single point, or identical ones, still need axes of some length.
    extent = max(extent, 1e-6 * float(np.abs(points).max())) or 2.0
    return AxisLimits((lowest + highest - extent) / 2.0, extent)


def _label_ticks(axes) -> None:
    """Writes every tick's own value, without a common offset; fewer ticks where that is long."""
    axes.ticklabel_format(useOffset=False)
    labels = axes.xaxis.get_major_formatter().format_ticks(axes.get_xticks())
    if max(map(len, labels)) > LONGEST_LABEL:
        axes.locator_params(axis="x", nbins=3)


def _draw_points(axes, shown: AxisLimits, points, labels) -> None:
    # Few dots must be seen, many must not merge. In points of 1/72 inch.
    radius = 0.72 * float(np.clip(60.0 / math.sqrt(len(points)), 1.1, 3.5))
    order = np.random.default_rng(0).permutation(len(points))
    low = shown.low.reshape(1, 2)
    inside = np.clip(points, low, low + shown.extent)[order]
    colors = [class_color(int(label)) for label in labels[order]]
    axes.scatter(*inside.T, s=(2.0 * radius) ** 2, c=colors, linewidths=0, clip_on=False, zorder=2)


def _draw_legend(figure, classes: tuple[str, ...]) -> None:
    """Lists the classes above the plot, in as many columns as their names allow."""
    from matplotlib.lines import Line2D

    names = [shorten(name, LONGEST_NAME) for name in classes]
    width = LEGEND_POINTS * (2.0 + 0.6 * max(map(len, names)))
    columns = max(1, int(LEGEND_WIDTH / width))
    colors = [class_color(label) for label in range(len(classes))]
    capacity = columns * LEGEND_ROWS
    if len(names) > capacity:
        names = [*names[: capacity - 1], f"and {len(names) - capacity + 1} more"]
        colors = [*colors[: capacity - 1], "none"]
    handles = [Line2D([], [], linestyle="", marker="o", color=color) for color in colors]
    legend = figure.legend(
        handles,
        names,
        loc="outside upper center",
        ncols=columns,
        fontsize=LEGEND_POINTS,
        frameon=False,
        handlelength=1.0,
        handletextpad=0.2,
        columnspacing=0.8,
        labelspacing=0.2,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)  # A class name may hold a dollar sign.
