"""Draws piano rolls: time from left to right, pitch from low to high."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Shaped

from lecture_models.plots.figure import new_figure, to_image

LOWEST_PITCH = 21  # Of the first key.
LOWEST_C = 24
MARGIN = 2  # Keys above and below the notes of all rolls.


class RollPanel(NamedTuple):
    """Describes one roll of a picture.

    Attributes:
        title: the words above it.
        values: from 0 (white) to 1 (black), such as 0 and 1, or probabilities.
    """

    title: str
    values: Shaped[np.ndarray, "frame key"]


def roll_plot(
    panels: list[RollPanel], seconds_per_frame: float
) -> Float32[np.ndarray, "side side 3"]:
    """Draws rolls below one another, over the same pitches and seconds.

    Args:
        panels: one or more rolls of equally many keys.
        seconds_per_frame: the duration of a frame.

    Returns:
        RGB image in [-1, 1], identical for identical arguments.

    Raises:
        ValueError: there is no roll, or one has no frames.
    """
    if not panels or any(len(panel.values) == 0 for panel in panels):
        raise ValueError("there must be at least 1 roll, and each must have at least 1 frame")
    used = np.zeros(panels[0].values.shape[1], bool)
    for panel in panels:
        used |= (np.asarray(panel.values, float) > 0.5).any(axis=0)
    keys = np.flatnonzero(used) if used.any() else np.arange(len(used))
    low, high = max(keys[0] - MARGIN, 0), min(keys[-1] + MARGIN, len(used) - 1)
    longest = max(len(panel.values) for panel in panels) * seconds_per_frame
    figure = new_figure()
    for number, (axes, panel) in enumerate(
        zip(figure.subplots(len(panels), 1, squeeze=False)[:, 0], panels, strict=True), 1
    ):
        seconds = len(panel.values) * seconds_per_frame
        bounds = (0.0, seconds, low + LOWEST_PITCH - 0.5, high + LOWEST_PITCH + 0.5)
        axes.imshow(
            np.asarray(panel.values, float)[:, low : high + 1].T,
            cmap="gray_r",
            vmin=0.0,
            vmax=1.0,
            aspect="auto",
            origin="lower",
            interpolation="nearest",
            extent=bounds,
        )
        octaves = [
            pitch
            for pitch in range(LOWEST_C, LOWEST_PITCH + len(used), 12)
            if bounds[2] <= pitch <= bounds[3]
        ]
        axes.set_yticks(octaves, [f"C{pitch // 12 - 1}" for pitch in octaves], fontsize=7)
        axes.set_xlim(0.0, longest)
        axes.tick_params(axis="x", labelsize=7, labelbottom=number == len(panels))
        axes.grid(axis="y", color="#7fa7d0", linewidth=0.4)
        axes.set_title(panel.title, fontsize=8)
    axes.set_xlabel("seconds", fontsize=8)
    return to_image(figure)
