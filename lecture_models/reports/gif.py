"""Makes a GIF of all images that a run wrote under one name, in the order of steps."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from lecture_models import files
from lecture_models.plots.gif import encode_gif, with_palette
from lecture_models.plots.png import drawn_scale
from lecture_models.reports.run_images import evenly
from lecture_models.runs.artifacts import SteppedFiles

MIN_FRAMES = 3
MAX_FRAMES = 60
SIDE = 512
FRAME_MS, LAST_MS = 120, 2_000


class _Header(NamedTuple):
    """Holds size and scale of an image file, which tell images of one kind from others."""

    size: tuple[int, int]
    scale: int


def write_gifs(folder: Path, images_by_name: Mapping[str, SteppedFiles]) -> list[Path]:
    """Writes NAME.gif into a folder for each name, and returns the paths that were written.

    A name needs at least three images of the size of its last image; images of another size, and
    those that cannot be read, are skipped. The longer side of the GIF is at most 512 pixels. Of
    more than 60 images 60 are shown, and the last one stays for two seconds. The same images give
    the same bytes.

    Raises:
        OSError: a file cannot be written.
    """
    written = []
    for name, images in images_by_name.items():
        chosen = evenly(_alike(images), MAX_FRAMES)
        frames = [frame for _, path in chosen if (frame := _frame(path)) is not None]
        if len(frames) >= MIN_FRAMES:
            path = folder / f"{name}.gif"
            duration = [FRAME_MS] * (len(frames) - 1) + [LAST_MS]
            files.write_bytes(path, encode_gif(frames, duration))
            written.append(path)
    return written


def _alike(images: SteppedFiles) -> SteppedFiles:
    """Returns the images of the same size as the last one that can be read."""
    headers = [(image, header) for image in images if (header := _header(image[1]))]
    return [image for image, header in headers if header == headers[-1][1]]


def _header(path: Path) -> _Header | None:
    """Reads a header without decoding the image, because there may be thousands of images."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            return _Header(image.size, drawn_scale(image.info))
    except (OSError, SyntaxError, ValueError):  # Pillow raises these for a damaged file.
        return None


def _frame(path: Path) -> Image.Image | None:
    """Returns an image enlarged by a whole factor, as in its file, or reduced to 512 pixels."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            image.load()
            drawn = drawn_scale(image.info)
    except (OSError, SyntaxError, ValueError):
        return None
    width, height = (side // drawn for side in image.size)
    longer = max(width, height)
    if longer > SIDE:
        sides = tuple(max(1, round(side * SIDE / longer)) for side in (width, height))
        return with_palette(image.resize(sides, Image.Resampling.LANCZOS))
    scale = min(drawn, SIDE // longer)
    return with_palette(image.resize((width * scale, height * scale), Image.Resampling.NEAREST))
