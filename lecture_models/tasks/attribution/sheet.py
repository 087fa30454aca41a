"""Draws contact sheets: an image and its attribution maps side by side, each with its scale.

All maps of a method have one scale, so that a class that is absent from a picture is dark beside
one that is present.
"""

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from lecture_models.tasks.attribution.methods import METHODS, AttributionMaps

RgbTile = Float[np.ndarray, "height width 3"]
Map = Float[np.ndarray, "height width"]
Scales = dict[str, float]  # By method, the value that is drawn at full strength.

COLUMNS = 4
MIN_TILE = 160  # Smaller images are enlarged to at least so many pixels, for the names to fit.
BACKGROUND, TEXT_COLOR = (255, 255, 255), (32, 32, 32)
# From black through red and yellow to white, for evidence; through blue for what speaks against it.
_HEAT = np.array([[0.0, 0.0, 0.0], [0.6, 0.0, 0.1], [1.0, 0.35, 0.0], [1.0, 0.85, 0.2], [1, 1, 1]])
_COLD = _HEAT[:, ::-1]
# Percentile of fine maps that is drawn at full strength: few extreme pixels would darken the rest.
_PERCENTILE = 99.0


def method_scales(found: AttributionMaps) -> Scales:
    """Returns one scale for all maps of each method: of all images and classes of a run.

    For coarse maps it is the largest absolute value. For fine ones it is the largest of the maps'
    99th percentiles of absolute values or, where that is 0, the largest absolute value. It is 1 if
    all values are 0.
    """
    return {name: _scale(np.abs(raw), METHODS[name].is_coarse) for name, raw in found.raw.items()}


def _scale(values: np.ndarray, is_coarse: bool) -> float:
    top = 0.0
    if not is_coarse:
        top = np.percentile(values.reshape(len(values), -1), _PERCENTILE, axis=1).max()
    return float(top or values.max() or 1.0)


def scale_words(name: str, top: float) -> str:
    """Returns the range of a method's scale, such as "0 to 0.31" or "-0.31 to 0.31"."""
    return f"{-top:.3g} to {top:.3g}" if METHODS[name].is_signed else f"0 to {top:.3g}"


def scales_text(scales: Scales) -> str:
    """Returns a line for each method with the range of its scale."""
    width = max(len(METHODS[name].title) for name in scales)
    lines = [
        f"{METHODS[name].title:<{width}}  {scale_words(name, top)}" for name, top in scales.items()
    ]
    return "\n".join(["one scale for all maps of a method", *lines])


def contact_sheet(
    image: RgbTile, found: AttributionMaps, scales: Scales, index: int, title: tuple[str, str]
) -> Float[np.ndarray, "1 sheet_height sheet_width 3"]:
    """Returns the contact sheet of one image.

    Args:
        image: the image in [-1, 1].
        found: the maps of all methods.
        scales: by method, the value that is drawn at full strength.
        index: index of the image in `found`.
        title: the two lines of text above the image.

    Returns:
        The sheet in [-1, 1], with an axis of images.
    """
    tiles = [(title, (image + 1.0) / 2.0)]
    for name, raw in found.raw.items():
        tile = _tile(name, image, raw[index], scales[name])
        tiles.append(((METHODS[name].title, scale_words(name, scales[name])), tile))
    sheet = _draw_tiles(tiles).astype(np.float32)
    return sheet[None] / np.float32(127.5) - np.float32(1.0)


def _tile(name: str, image: RgbTile, raw: Map | RgbTile, top: float) -> RgbTile:
    method = METHODS[name]
    if raw.ndim == 3:
        return colored(raw, top)
    if method.is_coarse:
        return overlay(image, raw, top)
    return (
        diverging(raw, top) if method.is_signed else np.repeat(shaded(raw, top)[..., None], 3, -1)
    )


def shaded(map_: Map, top: float) -> Map:
    """Returns a map without negative values as gray in [0, 1]: 0 is black, `top` is white."""
    return np.clip(map_ / top, 0.0, 1.0)


def diverging(map_: Map, top: float) -> RgbTile:
    """Returns a signed map in color, in [0, 1]: 0 is white, `top` is red, and -`top` is blue."""
    share = np.clip(map_ / top, -1.0, 1.0)
    pale = 1.0 - np.abs(share)
    return np.stack([np.where(share < 0.0, pale, 1.0), pale, np.where(share > 0.0, pale, 1.0)], -1)


def overlay(image: RgbTile, map_: Map, top: float) -> RgbTile:
    """Returns a gray copy of an image with the map over it, in [0, 1].

    Args:
        image: the image in [-1, 1].
        map_: the map; negative values are blue.
        top: the value that is white.

    Returns:
        The tile.
    """
    stops = np.linspace(0.0, 1.0, len(_HEAT))

    def painted(share, colors):
        return np.stack([np.interp(share, stops, channel) for channel in colors.T], axis=-1)

    color = np.where(
        (map_ < 0.0)[..., None], painted(-map_ / top, _COLD), painted(map_ / top, _HEAT)
    )
    gray = (image.mean(axis=-1, keepdims=True) + 1.0) / 2.0
    return 0.35 * gray + 0.65 * color


def colored(signal: RgbTile, top: float) -> RgbTile:
    """Returns a signal in color, in [0, 1]: zero is mid-gray, all channels share one scale."""
    return np.clip(0.5 + 0.5 * signal / top, 0.0, 1.0)


def _draw_tiles(
    tiles: list[tuple[tuple[str, str], RgbTile]],
) -> UInt8[np.ndarray, "height width 3"]:
    height, width, _ = tiles[0][1].shape
    scale = -(-MIN_TILE // min(height, width))
    height, width = scale * height, scale * width
    font = ImageFont.load_default(max(12, width // 16))
    line, gap = round(1.3 * font.size), font.size // 2
    strip = 2 * line + font.size // 3
    rows = -(-len(tiles) // COLUMNS)
    canvas = Image.new(
        "RGB",
        (COLUMNS * (width + gap) + gap, rows * (height + strip + gap)),
        BACKGROUND,
    )
    draw = ImageDraw.Draw(canvas)
    for index, (words, tile) in enumerate(tiles):
        row, column = divmod(index, COLUMNS)
        left, top = gap + column * (width + gap), row * (height + strip + gap)
        for row_of_text, text in enumerate(words):
            place = (left, top + (row_of_text + 0.6) * line)
            draw.text(place, _shortened(draw, font, text, width), TEXT_COLOR, font, "lm")
        pixels = Image.fromarray((255.0 * tile + 0.5).astype(np.uint8))
        canvas.paste(pixels.resize((width, height), Image.Resampling.NEAREST), (left, top + strip))
    return np.asarray(canvas)


def _shortened(draw, font, name: str, width: int) -> str:
    """Returns as much of a name as fits into `width` pixels."""
    text = " ".join(name.split())
    if draw.textlength(text, font) <= width:
        return text
    while text and draw.textlength(f"{text}…", font) > width:
        text = text[:-1]
    return f"{text}…"
