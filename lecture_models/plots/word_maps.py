"""Draws where a network looked when it wrote each word about a picture."""

import numpy as np
from jaxtyping import Float, Float32

ACROSS = 4  # Cells in a row.
CELLS = 16  # The picture, and at most so many words but one.
SIDE, HEADING = 144, 18  # Pixels of a cell, and of the word above it.
INK, PAPER = (0x20, 0x20, 0x20), (0xFF, 0xFF, 0xFF)
LONGEST_WORD = 20  # Characters; the rest of a longer word is not drawn.
DARKEST = 0.25  # The brightness of places that were not looked at.


def word_maps(
    image: Float[np.ndarray, "height width 3"],
    words: list[str],
    weights: Float[np.ndarray, "word row column"],
) -> Float32[np.ndarray, "sheet_height sheet_width 3"]:
    """Draws a picture, and again for each word, bright where the weight is.

    Args:
        image: the picture in [-1, 1].
        words: the words; those that find no room are left out.
        weights: the weight of each place at each word, at least 0.

    Returns:
        RGB image in [-1, 1] of the same size for all pictures, identical for identical arguments.

    Raises:
        ValueError: there are not as many weights as words.
    """
    if len(words) != len(weights):
        raise ValueError(f"there are {len(words)} words and the weights of {len(weights)}")
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(12)
    sheet = Image.new("RGB", (ACROSS * SIDE, CELLS // ACROSS * (SIDE + HEADING)), PAPER)
    draw = ImageDraw.Draw(sheet)
    pixels = np.rint((np.clip(image, -1.0, 1.0) + 1.0) * 127.5).astype(np.uint8)
    picture = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    light = [np.ones((1, 1), np.float32)]
    light += [(places / max(float(places.max()), 1e-9)).astype(np.float32) for places in weights]
    for cell, (word, places) in enumerate(zip(["", *words], light, strict=True)):
        if cell == CELLS:
            break
        smooth = Image.fromarray(places).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        brightness = np.clip(DARKEST + (1.0 - DARKEST) * np.asarray(smooth), 0.0, 1.0)
        lit = np.rint(np.asarray(picture) * brightness[..., None]).astype(np.uint8)
        left, top = cell % ACROSS * SIDE, cell // ACROSS * (SIDE + HEADING)
        draw.text((left + 2, top + 2), word[:LONGEST_WORD], fill=INK, font=font)
        sheet.paste(Image.fromarray(lit), (left, top + HEADING))
    return np.asarray(sheet, np.float32) / np.float32(127.5) - np.float32(1.0)
