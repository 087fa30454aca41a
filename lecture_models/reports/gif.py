"""The way of a run as a GIF: one frame for every picture of a name, in the order of steps."""

import io
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from lecture_models.reports.run_pictures import Files, evenly
from lecture_models.runs.reader import pictures_of

MIN_FRAMES = 3
MAX_FRAMES = 60
SIDE = 512
FRAME_MS, LAST_MS = 120, 2_000
_COLORS = 256


class _Header(NamedTuple):
    """Of one picture file; the unscaled size tells pictures of one kind from others."""

    size: tuple[int, int]
    scale: int


def write_gifs(folder: Path) -> list[Path]:
    """NAME.gif in a folder of NAME_STEP.png, for names with three or more pictures of one size.

    That size is the last picture's. The longer side is at most 512 pixels, of more than 60
    pictures 60 are shown, and the last stays for two seconds. The same pictures give the same
    bytes. A picture that cannot be read is left out. Raises OSError where nothing can be written.
    """
    written = []
    for name, files in pictures_of(folder).items():
        chosen = evenly(_alike(files), MAX_FRAMES)
        frames = [frame for _, path in chosen if (frame := _frame(path)) is not None]
        if len(frames) >= MIN_FRAMES:
            path = folder / f"{name}.gif"
            files.write_bytes(path, _encoded(frames))
            written.append(path)
    return written


def _alike(files: Files) -> Files:
    """Those with the size of the last one that can be read."""
    headers = [(each, header) for each in files if (header := _header(each[1]))]
    return [each for each, header in headers if header == headers[-1][1]]


def _header(path: Path) -> _Header | None:
    """Nothing is decoded: there may be thousands."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            return _Header(image.size, max(1, int(image.info.get("Scale", 1))))
    except (OSError, SyntaxError, ValueError):  # What Pillow raises for a damaged file.
        return None


def _frame(path: Path) -> Image.Image | None:
    """Enlarged by a whole factor, as the picture was, or made smaller."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            image.load()
            drawn = max(1, int(image.info.get("Scale", 1)))
    except (OSError, SyntaxError, ValueError):
        return None
    width, height = (side // drawn for side in image.size)
    longer = max(width, height)
    if longer > SIDE:
        sides = tuple(max(1, round(side * SIDE / longer)) for side in (width, height))
        return _indexed(image.resize(sides, Image.Resampling.LANCZOS))
    scale = min(drawn, SIDE // longer)
    return _indexed(image.resize((width * scale, height * scale), Image.Resampling.NEAREST))


def _indexed(image: Image.Image) -> Image.Image:
    """Gray has its 256 levels; colors are the 256 that fit this frame best.

    They are chosen on a fourth of its sides: on all pixels of noise it would take ten times longer.
    """
    if image.mode == "L":
        return image
    image = image.convert("RGB")
    colors = image.reduce(min(4, *image.size)).quantize(_COLORS, Image.Quantize.MEDIANCUT)
    return image.quantize(palette=colors, dither=Image.Dither.NONE)


def _encoded(frames: list[Image.Image]) -> bytes:
    content = io.BytesIO()
    frames[0].save(
        content,
        format="GIF",
        save_all=True,
        append_images=frames[1:],
        duration=[FRAME_MS] * (len(frames) - 1) + [LAST_MS],
        loop=0,
        optimize=False,
    )
    return content.getvalue()
