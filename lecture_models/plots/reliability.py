"""A reliability diagram as a picture, to be logged like any other."""

import numpy as np
from jaxtyping import Float, Float32, Int
from PIL import Image, ImageDraw, ImageFont

from lecture_models.plots.scatter import AXIS, FRAME, OVERSAMPLING, TEXT

ACCURACY, MISSING, ABOVE = "#1f77b4", "#f2b5b5", "#a9cfea"


def reliability_picture(
    confidence: Float[np.ndarray, " bin"],
    accuracy: Float[np.ndarray, " bin"],
    count: Int[np.ndarray, " bin"],
    side: int = 480,
) -> Float32[np.ndarray, "{side} {side} 3"]:
    """A bar of accuracy for each bin of confidence, from 0 to 1 both; in [-1, 1].

    Red is what a bin's accuracy lacks of its confidence, light blue what it has beyond it; the line
    is where both are equal.
    Gray bars below are the shares of all images. As Fig. 1 of Guo et al., "On calibration of modern
    neural networks", 2017.

    Raises ValueError where there are no bins or no images, or for a side below 160.
    """
    if len(count) == 0 or count.sum() == 0 or count.min() < 0:
        raise ValueError(f"the bins hold {count.tolist()} images; 1 or more are needed")
    if side < 160:
        raise ValueError(f"side is {side}; it must be at least 160")
    canvas = Image.new("RGB", (side * OVERSAMPLING,) * 2, "white")
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(OVERSAMPLING * max(10, side // 38))
    size, width = font.size, canvas.width
    left, right, top = 3.2 * size, width - 0.9 * size, 0.9 * size
    length = right - left
    bottom, shares_bottom = top + 0.76 * (width - 4 * size), width - 3.2 * size
    height, edge = bottom - top, length / len(count)
    for index in np.flatnonzero(count):
        x = (left + index * edge, left + (index + 1) * edge)
        ends = sorted((accuracy[index], confidence[index]))
        gap = MISSING if confidence[index] > accuracy[index] else ABOVE
        _bar(draw, x, bottom, height, (ends[0], ends[1]), gap)
        _bar(draw, x, bottom, height, (0.0, accuracy[index]), ACCURACY, until=ends[0])
        share = count[index] / count.sum()
        room = shares_bottom - bottom - 0.8 * size
        _bar(draw, x, shares_bottom, room, (0.0, share), FRAME)
    draw.line([(left, bottom), (right, top)], TEXT, OVERSAMPLING)
    _draw_axes(draw, font, (left, top, right, bottom), shares_bottom)
    small = canvas.resize((side, side), Image.Resampling.BOX)
    return np.asarray(small, np.float32) / np.float32(127.5) - np.float32(1.0)


def _bar(draw, x, bottom: float, height: float, ends, color: str, until: float = 1.0) -> None:
    """Between two fractions of the height, cut off at `until`."""
    low, high = (bottom - height * min(end, until) for end in ends)
    if low > high:
        draw.rectangle([x[0] + OVERSAMPLING, high, x[1] - OVERSAMPLING, low], color)


def _draw_axes(draw, font, box, shares_bottom: float) -> None:
    left, top, right, bottom = box
    draw.rectangle(box, outline=FRAME, width=OVERSAMPLING)
    draw.line([(left, shares_bottom), (right, shares_bottom)], FRAME, OVERSAMPLING)
    for value in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        x, y = left + value * (right - left), bottom - value * (bottom - top)
        if 0.0 < value < 1.0:
            draw.line([(left, y), (left + 0.4 * font.size, y)], AXIS, OVERSAMPLING)
        draw.text((left - 0.4 * font.size, y), f"{value:g}", TEXT, font, "rm")
        draw.text((x, shares_bottom + 0.4 * font.size), f"{value:g}", TEXT, font, "mt")
    draw.text((right, shares_bottom + 1.7 * font.size), "confidence", TEXT, font, "rt")
    draw.text((left + 0.5 * font.size, top + 0.5 * font.size), "accuracy", TEXT, font, "lt")
