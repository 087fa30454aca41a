"""Draws contact sheets: an image and its attribution maps side by side, each below its name."""

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from lecture_models.tasks.attribution.methods import METHODS, AttributionMaps

RgbTile = Float[np.ndarray, "height width 3"]
Map = Float[np.ndarray, "height width"]

COLUMNS = 4
MIN_TILE = 160  # Smaller images are enlarged to at least so many pixels, for the names to fit.
BACKGROUND, TEXT_COLOR = (255, 255, 255), (32, 32, 32)
OVERLAID = ("occlusion", "grad_cam")  # Coarse maps, which mean nothing without the image.
# A heat scale from black through red and yellow to white.
_HEAT = np.array([[0.0, 0.0, 0.0], [0.6, 0.0, 0.1], [1.0, 0.35, 0.0], [1.0, 0.85, 0.2], [1, 1, 1]])
# Percentile of a map that is shown as white: a few extreme pixels would darken all others.
_WHITE_PERCENTILE = 99.0


def contact_sheet(
    image: RgbTile, maps: AttributionMaps, index: int, title: str
) -> Float[np.ndarray, "1 sheet_height sheet_width 3"]:
    """Returns the contact sheet of one image.

    Args:
        image: the image in [-1, 1].
        maps: the maps of all methods.
        index: index of the image in `maps`.
        title: the text above the image.

    Returns:
        The sheet in [-1, 1], with an axis of images.
    """
    tiles = [(title, (image + 1.0) / 2.0)]
    for method, name in METHODS.items():
        map_ = maps.maps[method][index]
        if method in maps.signals:
            tile = colored(maps.signals[method][index])
        elif method in OVERLAID:
            tile = overlay(image, map_)
        else:
            tile = np.repeat(scaled(map_)[..., None], 3, axis=-1)
        tiles.append((name, tile))
    sheet = _draw_tiles(tiles).astype(np.float32)
    return sheet[None] / np.float32(127.5) - np.float32(1.0)


def scaled(map_: Map) -> Map:
    """Returns a map scaled to [0, 1]: negative values are 0, the largest hundredth is 1."""
    positive = np.maximum(map_, 0.0)
    top = np.percentile(positive, _WHITE_PERCENTILE) or positive.max() or 1.0
    return np.clip(positive / top, 0.0, 1.0)


def overlay(image: RgbTile, map_: Map) -> RgbTile:
    """Returns a gray copy of an image with the map as heat over it, in [0, 1].

    Args:
        image: the image in [-1, 1].
        map_: the map; negative values count as 0.

    Returns:
        The tile.
    """
    share = (np.maximum(map_, 0.0) / (map_.max() if map_.max() > 0.0 else 1.0))[..., None]
    stops = np.linspace(0.0, 1.0, len(_HEAT))
    heat = np.concatenate([np.interp(share, stops, channel) for channel in _HEAT.T], axis=-1)
    gray = (image.mean(axis=-1, keepdims=True) + 1.0) / 2.0
    return 0.35 * gray + 0.65 * heat


def colored(signal: RgbTile) -> RgbTile:
    """Returns a signal in color, in [0, 1]: zero is mid-gray, all channels share one scale."""
    top = np.percentile(np.abs(signal), _WHITE_PERCENTILE) or np.abs(signal).max() or 1.0
    return np.clip(0.5 + 0.5 * signal / top, 0.0, 1.0)


def _draw_tiles(tiles: list[tuple[str, RgbTile]]) -> UInt8[np.ndarray, "height width 3"]:
    height, width, _ = tiles[0][1].shape
    scale = -(-MIN_TILE // min(height, width))
    height, width = scale * height, scale * width
    font = ImageFont.load_default(max(12, width // 16))
    strip, gap = round(1.7 * font.size), font.size // 2
    rows = -(-len(tiles) // COLUMNS)
    canvas = Image.new(
        "RGB",
        (COLUMNS * (width + gap) + gap, rows * (height + strip + gap)),
        BACKGROUND,
    )
    draw = ImageDraw.Draw(canvas)
    for index, (name, tile) in enumerate(tiles):
        row, column = divmod(index, COLUMNS)
        left, top = gap + column * (width + gap), row * (height + strip + gap)
        text = _shortened(draw, font, name, width)
        draw.text((left, top + strip / 2), text, TEXT_COLOR, font, "lm")
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
