"""Renders matplotlib figures as image arrays, without pyplot and its global state.

matplotlib is imported when the first figure is made, so that importing this package stays quick.
"""

import warnings
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 640  # Pixels; as large as `png.write_png` writes without enlarging.
INCHES = 4.8  # With matplotlib's default of 10 points, text is readable at half of SIDE.
GRAY = "#b0b0b0"


def new_figure() -> "Figure":
    """Returns an empty square figure that `to_image` renders with SIDE x SIDE pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(INCHES, INCHES), dpi=SIDE / INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def to_image(figure: "Figure") -> Float32[np.ndarray, "side side 3"]:
    """Renders a figure of `new_figure`; returns RGB in [-1, 1], identical for identical data."""
    with warnings.catch_warnings():
        # A class name may have letters that the font lacks; they are drawn as boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1.0)


def shorten(name: str, length: int) -> str:
    """Returns a name on one line of at most `length` characters.

    A longer name is cut at its first comma, because the classes of ImageNet list synonyms; if it is
    still too long, it ends with an ellipsis.
    """
    line = " ".join(name.split())
    if len(line) > length:
        line = line.partition(",")[0]
    return line if len(line) <= length else f"{line[: length - 1]}…"
