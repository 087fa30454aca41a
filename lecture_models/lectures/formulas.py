"""Draws formulas in TeX as SVG pictures, by Matplotlib's own typesetter; no TeX is needed."""

import functools
from collections.abc import Iterator
from typing import Any

_UNITS = 100.0  # Of the picture's coordinates in the height of a letter.
_PIXELS = 17.0  # Of the same height on the page.
_MARGIN = 8.0
# Matplotlib's numbers of strokes, with the letter and the number of points that SVG has for them.
_STROKES = {1: ("M", 1), 2: ("L", 1), 3: ("Q", 2), 4: ("C", 3), 79: ("Z", 1)}


@functools.cache
def svg(formula: str) -> str:
    """Returns a formula as an SVG element, in the color of the text around it.

    Args:
        formula: one line of TeX, without dollar signs.

    Raises:
        ValueError: the typesetter does not know what is in it.
    """
    # Imported here, because only a page has formulas.
    from markupsafe import escape
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    font = FontProperties(math_fontfamily="cm")
    outline = TextPath((0, 0), f"${formula}$", size=_UNITS, prop=font)
    box = outline.get_extents()
    left, top = box.x0 - _MARGIN, -box.y1 - _MARGIN
    width, height = box.width + 2 * _MARGIN, box.height + 2 * _MARGIN
    scale = _PIXELS / _UNITS
    return (
        f'<svg role="img" aria-label="{escape(formula)}" '
        f'viewBox="{left:.0f} {top:.0f} {width:.0f} {height:.0f}" '
        f'width="{width * scale:.0f}" height="{height * scale:.0f}">'
        f'<path fill="currentColor" d="{"".join(_drawn(outline))}"/></svg>'
    )


def _drawn(outline: Any) -> Iterator[str]:
    """Yields the strokes of a path in the words of SVG, whose y axis points down."""
    place = 0
    while place < len(outline.codes):
        letter, count = _STROKES[int(outline.codes[place])]
        points = outline.vertices[place : place + count]
        words = () if letter == "Z" else (f"{x:.0f} {-y:.0f}" for x, y in points)
        yield letter + " ".join(words)
        place += count
