"""Writes images as PNG files: the one place where values in [-1, 1] become bytes."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import UInt8
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lecture_models import files

SEPARATOR_GRAY = 80  # Differs from both the black and the white of a digit.
NAN_COLOR = (255, 0, 255)
WIDE_CELL = 64  # Images of this many pixels or more are two pixels apart, smaller ones one.
# Reports and animations show small images larger: by a whole factor, up to this side.
SHOWN_SIDE = 640
MAX_SCALE = 8


def tile(
    pixels: jax.typing.ArrayLike, columns: int
) -> UInt8[np.ndarray, "grid_height grid_width channel"]:
    """Arranges images in a grid, left to right and top to bottom, and converts them to bytes.

    Unused cells of the last row are gray. A NaN becomes magenta, because mid-gray would look like
    an image of zeros; a single NaN makes a gray grid RGB.

    Args:
        pixels: floats in [-1, 1] of shape (count, height, width, 1, 3 or 4); values outside are
            clipped. The fourth channel is opacity; a grid of several such images is opaque between
            them.
        columns: images in a row, 1 or more.

    Returns:
        The grid with one, three or four channels.

    Raises:
        ValueError: the shape or the type differs, there is no image, or `columns` is below 1.
    """
    dtype = jnp.result_type(pixels)
    if not jnp.issubdtype(dtype, jnp.floating):
        raise ValueError(f"images are of type {dtype}; allowed: floats in [-1, 1]")
    values = np.asarray(pixels, np.float32)
    if values.ndim != 4 or values.shape[-1] not in (1, 3, 4) or 0 in values.shape:
        raise ValueError(
            f"images have shape {values.shape}; allowed: (count, height, width, 1, 3 or 4), none 0"
        )
    if columns < 1:
        raise ValueError(f"columns is {columns}; it must be at least 1")
    cells = _to_bytes(values)
    count, height, width, channel = cells.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    gap = 2 if min(height, width) >= WIDE_CELL else 1
    padded = np.full((rows * columns, height + gap, width + gap, channel), SEPARATOR_GRAY, np.uint8)
    if channel == 4:
        padded[..., 3] = 255
    padded[:count, :height, :width] = cells
    grid = padded.reshape(rows, columns, height + gap, width + gap, channel)
    grid = grid.transpose(0, 2, 1, 3, 4).reshape(rows * (height + gap), -1, channel)
    return grid[:-gap, :-gap]


def write_png(
    path: Path, pixels: UInt8[np.ndarray, "..."], metadata: dict[str, str] | None = None
) -> None:
    """Writes an image of bytes; at every moment `path` is absent, the old file or the new one.

    Args:
        path: file to write; missing folders are created.
        pixels: see `encode_png`.
        metadata: see `encode_png`.

    Raises:
        ValueError: the shape differs.
    """
    content = encode_png(pixels, metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_bytes(path, content)


def encode_png(pixels: UInt8[np.ndarray, "..."], metadata: dict[str, str] | None = None) -> bytes:
    """Returns the content of a PNG file.

    Args:
        pixels: shape (height, width, 1, 3 or 4); the fourth channel is opacity.
        metadata: more text for the file (latin-1 is written as tEXt, anything else as iTXt).

    Returns:
        The bytes of the file.

    Raises:
        ValueError: the shape differs.
    """
    if pixels.ndim != 3 or pixels.shape[-1] not in (1, 3, 4) or 0 in pixels.shape:
        raise ValueError(
            f"an image has shape {pixels.shape}; allowed: (height, width, 1, 3 or 4), none 0"
        )
    text = PngInfo()
    for key, value in (metadata or {}).items():
        text.add_text(key, value)
    encoded = io.BytesIO()
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    image.save(encoded, format="PNG", pnginfo=text)
    return encoded.getvalue()


def shown_scale(width: int, height: int, drawn: int = 1) -> int:
    """Returns by what whole factor an image is enlarged where a page shows it.

    Args:
        width: width of the file in pixels.
        height: height of the file in pixels.
        drawn: the factor by which the file itself is enlarged, as those of older runs are.

    Returns:
        The largest factor, at most 8 over the image's own pixels, that keeps the longer side within
        640 pixels; at least 1.
    """
    return max(1, min(MAX_SCALE // drawn, SHOWN_SIDE // max(width, height)))


def drawn_scale(metadata: Mapping[str, Any]) -> int:
    """Returns the factor by which a file itself is enlarged; files of older runs state it."""
    text = str(metadata.get("Scale", ""))
    return max(1, int(text)) if text.isdecimal() else 1


def read_metadata(path: Path) -> dict[str, str]:
    """Returns the text that `write_png` stored in a file."""
    with Image.open(path) as image:
        image.load()  # Text may follow the pixels.
        return {key: str(value) for key, value in getattr(image, "text", {}).items()}


def _to_bytes(values: np.ndarray) -> UInt8[np.ndarray, "image height width channel"]:
    # Adding a half and truncating rounds: -1 + k / 127.5 becomes k for every byte k.
    absent = np.isnan(values)
    clipped = np.clip(np.where(absent, 0.0, values), -1.0, 1.0)
    cells = ((clipped + 1.0) * 127.5 + 0.5).astype(np.uint8)
    if absent.any():
        cells = np.broadcast_to(cells, (*cells.shape[:-1], max(3, cells.shape[-1]))).copy()
        cells[absent.any(-1)] = (*NAN_COLOR, 255)[: cells.shape[-1]]
    return cells
