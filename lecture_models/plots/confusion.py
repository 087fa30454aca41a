"""A confusion matrix as a picture, to be logged like any other."""

import numpy as np
from jaxtyping import Float32, Int
from PIL import Image, ImageDraw, ImageFont

from lecture_models.plots.scatter import FRAME, OVERSAMPLING, TEXT

RIGHT, WRONG = (31, 119, 180), (214, 39, 40)  # The diagonal, and what is beside it.
MOST_NUMBERED = 12  # With more classes the cells are too small for figures.


def confusion_picture(
    matrix: Int[np.ndarray, "true predicted"], classes: tuple[str, ...], side: int = 480
) -> Float32[np.ndarray, "{side} {side} 3"]:
    """A square for each pair of true class (row) and predicted class (column); in [-1, 1].

    The color is the share of the row, blue on the diagonal and red beside it; beside it a share
    of a tenth is already full red. The figures are counts.

    Raises ValueError where the matrix is not square with a row for each class, holds a negative
    count, or for a side below 160.
    """
    if matrix.shape != (len(classes),) * 2 or len(classes) == 0:
        raise ValueError(
            f"the matrix has shape {matrix.shape}; with {len(classes)} classes it must be square "
            "with a row for each, 1 or more"
        )
    if matrix.min() < 0:
        raise ValueError(f"the matrix holds {matrix.min()}; counts must be at least 0")
    if side < 160:
        raise ValueError(f"side is {side}; it must be at least 160")
    canvas = Image.new("RGB", (side * OVERSAMPLING,) * 2, "white")
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(OVERSAMPLING * max(9, side // 44))
    names = [_short(name) for name in classes]
    left = max(draw.textlength(name, font) for name in names) + 2.4 * font.size
    cell = (canvas.width - left - 0.8 * font.size) / len(classes)
    top = canvas.height - cell * len(classes) - 0.8 * font.size
    _draw_cells(draw, font, matrix, left, top, cell)
    _draw_names(canvas, draw, font, names, left, top, cell)
    small = canvas.resize((side, side), Image.Resampling.BOX)
    return np.asarray(small, np.float32) / np.float32(127.5) - np.float32(1.0)


def _short(name: str) -> str:
    shown = " ".join(name.split())
    return shown if len(shown) <= 14 else f"{shown[:13]}…"


def _draw_cells(draw, font, matrix, left: float, top: float, cell: float) -> None:
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    for row, column in np.ndindex(*matrix.shape):
        strength = shares[row, column] if row == column else min(1.0, 10.0 * shares[row, column])
        full = RIGHT if row == column else WRONG
        color = tuple(round(255.0 + strength * (each - 255.0)) for each in full)
        x, y = left + column * cell, top + row * cell
        draw.rectangle([x, y, x + cell, y + cell], color, FRAME, OVERSAMPLING // 2)
        if matrix[row, column] and len(matrix) <= MOST_NUMBERED:
            shade = "white" if strength > 0.6 else TEXT
            place = (x + cell / 2.0, y + cell / 2.0)
            draw.text(place, str(matrix[row, column]), shade, font, "mm")


def _draw_names(canvas, draw, font, names, left: float, top: float, cell: float) -> None:
    """True classes beside their rows; predicted ones above their columns, read upwards."""
    step = max(1, round(1.1 * font.size / cell))  # Where rows are thinner than a line of text.
    for index in range(0, len(names), step):
        middle = (index + 0.5) * cell
        draw.text((left - 0.5 * font.size, top + middle), names[index], TEXT, font, "rm")
        upright = Image.new("L", (round(top), round(1.2 * font.size)), 0)
        place = (0.4 * font.size, 0.6 * font.size)
        ImageDraw.Draw(upright).text(place, names[index], 255, font, "lm")
        upright = upright.rotate(90, expand=True)
        corner = (round(left + middle - upright.width / 2.0), 0)
        canvas.paste(TEXT, corner, upright)
