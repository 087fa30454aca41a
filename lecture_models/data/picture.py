"""One picture file of somebody's own, of any kind: decoded to bytes, grey or red, green, blue.

A picture is turned as its EXIF says and laid over white where it is transparent; of several
frames the first counts, and 16 bits become 8. Resizing is bicubic with antialiasing.
"""

import hashlib
import importlib.util
import io
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from lecture_models.data.archives import read_file
from lecture_models.data.dataset import DataError

# Not all that Pillow knows: it hands EPS to another program, and only recognises MPEG or HDF5.
_FORMATS = (
    *("AVIF", "BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "PSD"),
    *("QOI", "SGI", "TGA", "TIFF", "WEBP"),
)
# JPEG decodes faster at 1/2, 1/4 or 1/8, whose last row and column may be cut: so no less than 8
# times the sides, of which that is an eighth of a pixel.
_DRAFT = 8


class Decoded(NamedTuple):
    """`size` is the width and height in the file, before it is turned."""

    size: tuple[int, int]
    pixels: UInt8[np.ndarray, "height width channel"]


class Picture(NamedTuple):
    """A file that was read: always in colour, grey repeated."""

    path: Path
    sha256: str
    size: tuple[int, int]
    pixels: UInt8[np.ndarray, "height width 3"]


def read(path: Path, shorter_side: int | None = None, square: bool = False) -> Picture:
    """The picture at `path`, its shorter side resized, up or down, to `shorter_side`.

    `square` keeps the central square alone. Raises DataError, one line, where the file is absent,
    empty, cut off, no picture, or of more than 179 megapixels, which no honest one has.
    """
    content, record = read_file(path)
    try:
        with warnings.catch_warnings():
            # Of metadata, or of large pictures that are no bombs yet.
            warnings.simplefilter("ignore")
            decoded = decode(content, shorter_side, square)
    except MemoryError:
        raise
    except Exception as error:  # Each of Pillow's readers fails in its own way.
        raise DataError(f"{shown(path)} cannot be read: {reason(error)}") from error
    pixels = np.broadcast_to(decoded.pixels, (*decoded.pixels.shape[:2], 3))
    return Picture(path, record.sha256, decoded.size, pixels)


def decode(content: bytes, shorter_side: int | None = None, square: bool = False) -> Decoded:
    """The content of a picture file, of one channel or three; `read` without a name.

    Raises whatever Pillow does, and ValueError for levels of 32 bits, whose white is not known.
    """
    Image.init()  # Before it no format is known but the commonest.
    known = [name for name in _FORMATS if name in Image.OPEN]
    with Image.open(io.BytesIO(content), formats=known) as image:
        size = image.size
        if shorter_side is not None:
            image.draft(None, (_DRAFT * shorter_side, _DRAFT * shorter_side))
        ImageOps.exif_transpose(image, in_place=True)
        cut = _central_square(image) if square else image
        levels = _eight_bits(cut, image.format)
    if shorter_side is not None:
        scale = shorter_side / min(levels.size)
        sides = tuple(max(1, round(side * scale)) for side in levels.size)
        # Pillow clips what bicubic interpolation overshoots to 0 ... 255.
        levels = levels.resize(sides, Image.Resampling.BICUBIC)
    return Decoded(size, np.atleast_3d(np.asarray(levels)))


def extensions() -> set[str]:
    """Of the files that are taken for pictures: ".jpg" and others, in small letters."""
    Image.init()
    formats = Image.registered_extensions().items()
    return {extension for extension, name in formats if name in _FORMATS}


def find(path: Path) -> list[Path]:
    """The file itself, or the pictures that lie in a folder, sub-folders included, by name.

    Raises DataError where there is nothing at `path`, or no picture in the folder.
    """
    if not path.is_dir():
        if not path.exists():
            raise DataError(f"there is no picture or folder {shown(path)}")
        return [path]
    known = extensions()
    found = [
        each
        for each in sorted(path.rglob("*"))
        if each.suffix.lower() in known
        and each.is_file()
        and not any(part.startswith(".") for part in each.relative_to(path).parts)
    ]
    if not found:
        raise DataError(f"{shown(path)} holds no pictures")
    return found


def sample_files() -> list[Path]:
    """The two photos that scikit-learn ships, found without the seconds of its import.

    Raises DataError where it is not installed.
    """
    package = importlib.util.find_spec("sklearn")
    if package is None or package.origin is None:
        raise DataError("scikit-learn, whose photos are shown, is not installed; name others")
    folder = Path(package.origin).parent / "datasets" / "images"
    return [folder / "china.jpg", folder / "flower.jpg"]


def digest(pictures: list[Picture]) -> str:
    """One SHA-256 of all the files, in their order."""
    return hashlib.sha256("\n".join(each.sha256 for each in pictures).encode()).hexdigest()


def reason(error: Exception) -> str:
    """Why a file cannot be read, in one line of at most 100 characters."""
    if isinstance(error, UnidentifiedImageError):  # Its message is an address in memory.
        return "not a picture"
    message = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(message.split())[:100]


def shown(name: Path | str) -> str:
    """A name that can be printed and recorded, even where it is no UTF-8."""
    return str(name).encode("utf-8", "backslashreplace").decode()


def _central_square(image: Image.Image) -> Image.Image:
    width, height = image.size
    short = min(width, height)
    left, top = (width - short) // 2, (height - short) // 2
    return image.crop((left, top, left + short, top + short))


def _eight_bits(image: Image.Image, file_format: str | None) -> Image.Image:
    """The picture in mode L where it is grey, else RGB, over white."""
    if image.mode.startswith("I;16") or (image.mode == "I" and file_format == "PPM"):
        levels = np.asarray(image).astype(np.int32)
        levels = np.where(levels == image.info.get("transparency", -1), 65_535, levels)
        return Image.fromarray(((levels + 128) // 257).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError("32 bits a pixel, whose white is not known; save it with 8 or 16")
    grey = image.mode in ("1", "L", "LA")
    if image.mode == "P":
        palette = np.array(image.getpalette("RGB")).reshape(-1, 3)
        grey = bool((palette == palette[:, :1]).all())
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert("L" if grey else "RGB")
