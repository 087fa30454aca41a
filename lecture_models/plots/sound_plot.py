"""Draws a sound: its waveform, its spectrum over time, and what a network hears when."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32

from lecture_models.plots.class_colors import class_color
from lecture_models.plots.figure import GRAY, new_figure, to_image


class HeardWord(NamedTuple):
    """Describes how probable a word is over time.

    Attributes:
        name: the word.
        probabilities: from 0 to 1, at equally spaced times.
    """

    name: str
    probabilities: Float[np.ndarray, " time"]


def sound_plot(
    samples: Float[np.ndarray, " sample"],
    spectrum: Float[np.ndarray, "frame band"],
    seconds: float,
    title: str = "",
    heard: tuple[HeardWord, ...] = (),
) -> Float32[np.ndarray, "side side 3"]:
    """Draws the waveform above the log-mel spectrum, and below both the words over time.

    Args:
        samples: the sound.
        spectrum: its log-mel spectrum; the lowest band is drawn at the bottom.
        seconds: the duration of the sound.
        title: text above the picture.
        heard: the words; () for a picture without them.

    Returns:
        RGB image in [-1, 1], identical for identical arguments.

    Raises:
        ValueError: there is no sample, no frame, or no duration.
    """
    if not len(samples) or not spectrum.size or seconds <= 0.0:
        raise ValueError(
            f"{len(samples)} samples, a spectrum of shape {spectrum.shape} and {seconds} seconds "
            "cannot be drawn; all must be above 0"
        )
    figure = new_figure()
    heights = (1, 2, 1.3) if heard else (1, 2)
    rows = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    rows[0].plot(np.linspace(0.0, seconds, len(samples)), samples, color=class_color(0), lw=0.5)
    rows[0].set(ylabel="sound", xlim=(0.0, seconds))
    rows[0].set_title(title, fontsize=9, parse_math=False)
    extent = (0.0, seconds, 0.5, spectrum.shape[1] + 0.5)
    rows[1].imshow(spectrum.T, aspect="auto", origin="lower", extent=extent, cmap="magma")
    rows[1].set(ylabel="mel band")
    if heard:
        _draw_heard(figure, rows[2], heard, seconds)
    rows[-1].set_xlabel("seconds")
    return to_image(figure)


def _draw_heard(figure, axes, heard: tuple[HeardWord, ...], seconds: float) -> None:
    for number, word in enumerate(heard):
        count = len(word.probabilities)
        times = (np.arange(count) + 0.5) * seconds / count
        axes.plot(times, word.probabilities, color=class_color(number), label=word.name)
    axes.set(ylim=(0.0, 1.05), ylabel="probability")
    axes.grid(color=GRAY, linewidth=0.3)
    figure.legend(
        *axes.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=min(len(heard), 6),
        fontsize=8,
        frameon=False,
    )
