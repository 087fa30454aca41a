"""Draws a text on colored paper: each character has a background that shows a number."""

from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32

FONT_SIZE = 15  # Pixels.
CELL_WIDTH, CELL_HEIGHT = 9, 18  # Pixels of a character.
MARGIN = 8  # Pixels.
INK = (0x20, 0x20, 0x20)
# Paper at -1, 0 and 1.
LOW, MIDDLE, HIGH = (0x6B, 0xA8, 0xE0), (0xFF, 0xFF, 0xFF), (0xF2, 0x8E, 0x6D)


def colored_text(
    text: str, values: Float[np.ndarray, " character"], columns: int = 80, rows: int = 40
) -> Float32[np.ndarray, "height width 3"]:
    """Draws characters in lines of equal width, blue at -1, white at 0 and orange at 1.

    The end of a line is drawn as a colored cell of its own. Lines that are too long are broken.

    Args:
        text: the text.
        values: one number for each character; those outside [-1, 1] are clipped.
        columns: characters in a line.
        rows: lines that are drawn; the rest of the text is not.

    Returns:
        RGB image in [-1, 1], identical for identical arguments.

    Raises:
        ValueError: there are not as many numbers as characters, or the text is empty.
    """
    if len(text) != len(values) or not text:
        raise ValueError(f"there are {len(text)} characters and {len(values)} values")
    from matplotlib import get_data_path
    from PIL import Image, ImageDraw, ImageFont

    path = Path(get_data_path(), "fonts", "ttf", "DejaVuSansMono.ttf")
    font = ImageFont.truetype(str(path), FONT_SIZE)
    places = _places(text, columns)
    used = min(rows, places[-1][0] + 1)
    size = (2 * MARGIN + columns * CELL_WIDTH, 2 * MARGIN + used * CELL_HEIGHT)
    picture = Image.new("RGB", size, MIDDLE)
    draw = ImageDraw.Draw(picture)
    for character, value, (row, column) in zip(text, values, places, strict=True):
        if row >= used:
            break
        left, top = MARGIN + column * CELL_WIDTH, MARGIN + row * CELL_HEIGHT
        box = (left, top, left + CELL_WIDTH - 1, top + CELL_HEIGHT - 1)
        draw.rectangle(box, fill=_paper(float(value)))
        if character.isprintable() and not character.isspace():
            draw.text((left, top), character, fill=INK, font=font)
    return np.asarray(picture, np.float32) / np.float32(127.5) - np.float32(1.0)


def _places(text: str, columns: int) -> list[tuple[int, int]]:
    """Returns the row and the column of each character."""
    places, row, column = [], 0, 0
    for character in text:
        if column == columns:
            row, column = row + 1, 0
        places.append((row, column))
        row, column = (row + 1, 0) if character == "\n" else (row, column + 1)
    return places


def _paper(value: float) -> tuple[int, ...]:
    share = min(abs(value), 1.0)
    end = HIGH if value > 0.0 else LOW
    return tuple(round(white + share * (e - white)) for white, e in zip(MIDDLE, end, strict=True))
