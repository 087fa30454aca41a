"""A contact sheet: the picture and its maps side by side, each with its name above it."""

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from lecture_models.tasks.attribution.methods import METHODS, Attributions

Tile = Float[np.ndarray, "height width 3"]
Map = Float[np.ndarray, "height width"]

COLUMNS = 4
LEAST_TILE = 160  # A smaller network's maps are enlarged, for the names to fit.
PAPER, INK = (255, 255, 255), (32, 32, 32)
OVERLAID = ("occlusion", "grad_cam")  # Coarse maps, which mean nothing without the picture.
# From black through red and yellow to white, as heat has it.
_HEAT = np.array([[0.0, 0.0, 0.0], [0.6, 0.0, 0.1], [1.0, 0.35, 0.0], [1.0, 0.85, 0.2], [1, 1, 1]])
_CLIPPED = 99.0  # Per cent of the pixels below white; a few strong ones would leave the rest black.


def contact_sheet(
    image: Tile, found: Attributions, number: int, title: str
) -> Float[np.ndarray, "1 sheet_height sheet_width 3"]:
    """Of picture `number` of what was found; `title` stands above the picture. In [-1, 1]."""
    tiles = [(title, (image + 1.0) / 2.0)]
    for name, shown in METHODS.items():
        map_ = found.maps[name][number]
        if name in found.projections:
            tile = colored(found.projections[name][number])
        elif name in OVERLAID:
            tile = overlay(image, map_)
        else:
            tile = np.repeat(scaled(map_)[..., None], 3, axis=-1)
        tiles.append((shown, tile))
    drawn = _set(tiles).astype(np.float32)
    return drawn[None] / np.float32(127.5) - np.float32(1.0)


def scaled(map_: Map) -> Map:
    """Positive values to [0, 1], the upper hundredth all 1."""
    positive = np.maximum(map_, 0.0)
    top = np.percentile(positive, _CLIPPED) or positive.max() or 1.0
    return np.clip(positive / top, 0.0, 1.0)


def overlay(image: Tile, map_: Map) -> Tile:
    """The map's heat over the picture in gray, more of it where the map is high."""
    share = (np.maximum(map_, 0.0) / (map_.max() if map_.max() > 0.0 else 1.0))[..., None]
    stops = np.linspace(0.0, 1.0, len(_HEAT))
    heat = np.concatenate([np.interp(share, stops, channel) for channel in _HEAT.T], axis=-1)
    gray = (image.mean(axis=-1, keepdims=True) + 1.0) / 2.0
    return 0.35 * gray + 0.65 * heat


def colored(signal: Tile) -> Tile:
    """A signal of both signs around mid-gray, its channels together."""
    top = np.percentile(np.abs(signal), _CLIPPED) or np.abs(signal).max() or 1.0
    return np.clip(0.5 + 0.5 * signal / top, 0.0, 1.0)


def _set(tiles: list[tuple[str, Tile]]) -> UInt8[np.ndarray, "height width 3"]:
    height, width, _ = tiles[0][1].shape
    scale = -(-LEAST_TILE // min(height, width))
    height, width = scale * height, scale * width
    font = ImageFont.load_default(max(12, width // 16))
    strip, gap = round(1.7 * font.size), font.size // 2
    rows = -(-len(tiles) // COLUMNS)
    canvas = Image.new(
        "RGB",
        (COLUMNS * (width + gap) + gap, rows * (height + strip + gap)),
        PAPER,
    )
    draw = ImageDraw.Draw(canvas)
    for index, (name, tile) in enumerate(tiles):
        row, column = divmod(index, COLUMNS)
        left, top = gap + column * (width + gap), row * (height + strip + gap)
        draw.text((left, top + strip / 2), _cut(draw, font, name, width), INK, font, "lm")
        pixels = Image.fromarray((255.0 * tile + 0.5).astype(np.uint8))
        canvas.paste(pixels.resize((width, height), Image.Resampling.NEAREST), (left, top + strip))
    return np.asarray(canvas)


def _cut(draw, font, name: str, width: int) -> str:
    """As much of a name as fits."""
    shown = " ".join(name.split())
    if draw.textlength(shown, font) <= width:
        return shown
    while shown and draw.textlength(f"{shown}…", font) > width:
        shown = shown[:-1]
    return f"{shown}…"
