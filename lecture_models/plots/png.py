"""Pictures on disk: the one place where [-1, 1] becomes bytes."""

import io
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import UInt8
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lecture_models import files

SEPARATOR_GRAY = 80  # Neither the black nor the white of a digit.
NAN_COLOR = (255, 0, 255)
WIDE_CELL = 64  # Cells of this many pixels or more are set two pixels apart, smaller ones one.
SCALED_SIDE = 640
MAX_SCALE = 8


def tile(
    pixels: jax.typing.ArrayLike, columns: int
) -> UInt8[np.ndarray, "grid_height grid_width channel"]:
    """Sets pictures in rows, left to right.

    `pixels`: NHWC floats in [-1, 1], one or three channels; values outside are clipped. The last
    row is filled up with gray. A NaN becomes magenta, and one is enough to make a gray grid RGB:
    mid-gray would pass for a picture of zeros.

    Raises ValueError for another shape or type, no picture, or `columns` below one.
    """
    found = jnp.result_type(pixels)
    if not jnp.issubdtype(found, jnp.floating):
        raise ValueError(f"pictures are of type {found}; allowed: floats in [-1, 1]")
    values = np.asarray(pixels, np.float32)
    if values.ndim != 4 or values.shape[-1] not in (1, 3) or 0 in values.shape:
        raise ValueError(
            f"pictures have shape {values.shape}; allowed: (count, height, width, 1 or 3), none 0"
        )
    if columns < 1:
        raise ValueError(f"columns is {columns}; allowed: 1 or more")
    cells = _to_bytes(values)
    count, height, width, channel = cells.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    gap = 2 if min(height, width) >= WIDE_CELL else 1
    padded = np.full((rows * columns, height + gap, width + gap, channel), SEPARATOR_GRAY, np.uint8)
    padded[:count, :height, :width] = cells
    grid = padded.reshape(rows, columns, height + gap, width + gap, channel)
    grid = grid.transpose(0, 2, 1, 3, 4).reshape(rows * (height + gap), -1, channel)
    return grid[:-gap, :-gap]


def write_png(
    path: Path, pixels: UInt8[np.ndarray, "..."], metadata: dict[str, str] | None = None
) -> None:
    """Writes HWC bytes so that `path` is at every moment absent, old or whole.

    The picture is enlarged, nearest neighbor, by the largest whole factor that keeps its longer
    side within 640 pixels, and by 8 at the most; the factor stands in the file's text as `Scale`,
    beside `metadata` (latin-1 as tEXt, anything else as iTXt).

    Raises ValueError for another shape.
    """
    if pixels.ndim != 3 or pixels.shape[-1] not in (1, 3) or 0 in pixels.shape:
        raise ValueError(
            f"a picture has shape {pixels.shape}; allowed: (height, width, 1 or 3), none 0"
        )
    scale = min(MAX_SCALE, max(1, SCALED_SIDE // max(pixels.shape[:2])))
    enlarged = pixels.repeat(scale, axis=0).repeat(scale, axis=1)
    text = PngInfo()
    for key, value in {**(metadata or {}), "Scale": str(scale)}.items():
        text.add_text(key, value)
    encoded = io.BytesIO()
    Image.fromarray(enlarged[..., 0] if enlarged.shape[-1] == 1 else enlarged).save(
        encoded, format="PNG", pnginfo=text
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_bytes(path, encoded.getvalue())


def read_metadata(path: Path) -> dict[str, str]:
    """The text that `write_png` stored."""
    with Image.open(path) as picture:
        picture.load()  # Text may follow the pixels.
        return {key: str(value) for key, value in getattr(picture, "text", {}).items()}


def _to_bytes(
    values: np.ndarray,
) -> UInt8[np.ndarray, "image height width channel"]:
    # Adding half and cutting off is rounding: -1 + k / 127.5 comes back as k for every byte k.
    absent = np.isnan(values)
    clipped = np.clip(np.where(absent, 0.0, values), -1.0, 1.0)
    cells = ((clipped + 1.0) * 127.5 + 0.5).astype(np.uint8)
    if absent.any():
        cells = np.broadcast_to(cells, (*cells.shape[:-1], 3)).copy()
        cells[absent.any(-1)] = NAN_COLOR
    return cells
