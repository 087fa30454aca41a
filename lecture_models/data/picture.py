"""One picture file of somebody's own, of any kind: decoded to bytes, gray or red, green, blue.

A picture is turned as its EXIF says and laid over white where it is transparent; of several
frames the first counts, and 16 bits become 8. Resizing is bicubic with antialiasing.
"""

import contextlib
import hashlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from lecture_models.data.archives import read_file
from lecture_models.data.dataset import DataError
from lecture_models.data.sample_pictures import sample_file

# Not all that Pillow knows: it hands EPS to another program, and only recognizes MPEG or HDF5.
_FORMATS = (
    *("AVIF", "BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "PSD"),
    *("QOI", "SGI", "TGA", "TIFF", "WEBP"),
)
# JPEG decodes faster at 1/2, 1/4 or 1/8, whose last row and column may be cut: so no less than 8
# times the sides, of which that is an eighth of a pixel.
_DRAFT = 8
_BAND = 1024  # Rows converted at a time: of a large picture several copies would not fit.
MIN_SIDE = 16
MAX_ENLARGED = 4
_MAX_PIXELS = 178_956_970  # Where Pillow refuses to read.


class Decoded(NamedTuple):
    """`size` is the width and height in the file, before it is turned."""

    size: tuple[int, int]
    pixels: UInt8[np.ndarray, "height width channel"]


class Picture(NamedTuple):
    """A file that was read: always in color, gray repeated."""

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
    with _readable(path):
        decoded = decode(content, shorter_side, square)
    return _colored(path, record.sha256, decoded)


def read_at(path: Path, size: int | None, square: bool = False) -> Picture:
    """The picture at `path`, its longer side resized to `size`; None leaves it as it is.

    `square` keeps the central square alone, of `size` x `size`. Raises DataError as `read` does,
    and, before the picture is decoded, where a side would be shorter than `MIN_SIDE`, where it
    would be enlarged more than `MAX_ENLARGED` times, and where it would have more than 179
    megapixels.
    """
    if size is not None and size < MIN_SIDE:
        raise DataError(f"--size is {size}; it must be at least {MIN_SIDE}")
    content, record = read_file(path)
    with _readable(path):
        found = _open(content).size
    _refuse(path, found, size, square)
    with _readable(path):
        decoded = decode(content, size, square) if square else decode(content, longer_side=size)
    return _colored(path, record.sha256, decoded)


def decode(
    content: bytes,
    shorter_side: int | None = None,
    square: bool = False,
    longer_side: int | None = None,
) -> Decoded:
    """The content of a picture file, of one channel or three; `read` without a name.

    Of the two sides at most one is given.

    Raises whatever Pillow does, and ValueError for levels of 32 bits, whose white is not known.
    """
    with _open(content) as image:
        size = image.size
        wanted = _scaled(size, shorter_side, longer_side)
        if wanted != size:
            image.draft(None, (_DRAFT * wanted[0], _DRAFT * wanted[1]))
        ImageOps.exif_transpose(image, in_place=True)
        cut = _central_square(image) if square else image
        levels = _eight_bits(cut, image.format)
    sides = _scaled(levels.size, shorter_side, longer_side)
    if sides != levels.size:
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
    """The two photos that scikit-learn ships.

    Raises DataError where it is not installed.
    """
    return [sample_file("china"), sample_file("flower")]


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


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """What fails within is a DataError that names the file."""
    try:
        with warnings.catch_warnings():
            # Of metadata, or of large pictures that are no bombs yet.
            warnings.simplefilter("ignore")
            yield
    except MemoryError:
        raise
    except Exception as error:  # Each of Pillow's readers fails in its own way.
        raise DataError(f"{shown(path)} cannot be read: {reason(error)}") from error


def _open(content: bytes) -> Image.Image:
    Image.init()  # Before it no format is known but the commonest.
    known = [name for name in _FORMATS if name in Image.OPEN]
    return Image.open(io.BytesIO(content), formats=known)


def _colored(path: Path, sha256: str, decoded: Decoded) -> Picture:
    pixels = np.broadcast_to(decoded.pixels, (*decoded.pixels.shape[:2], 3))
    return Picture(path, sha256, decoded.size, pixels)


def _scaled(
    size: tuple[int, int], shorter_side: int | None, longer_side: int | None
) -> tuple[int, int]:
    """Width and height once one side is as wanted; the same where none is."""
    if shorter_side is None and longer_side is None:
        return size
    scale = longer_side / max(size) if shorter_side is None else shorter_side / min(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _refuse(path: Path, found: tuple[int, int], size: int | None, square: bool) -> None:
    named = f"{shown(path)} is {found[0]}x{found[1]}"
    side = min(found) if square else max(found)
    if size is not None and size > MAX_ENLARGED * side:
        raise DataError(
            f"{named}; --size={size} would enlarge it {size / side:.3g} times, and at most "
            f"{MAX_ENLARGED} times is allowed"
        )
    width, height = _scaled(found, size if square else None, None if square else size)
    if min(width, height) < MIN_SIDE:
        at = "" if size is None else f", {width}x{height} at --size={size}"
        raise DataError(f"{named}{at}; both sides must be at least {MIN_SIDE}")
    if width * height > _MAX_PIXELS:
        raise DataError(f"{named}, {width}x{height} at --size={size}; 179 megapixels are allowed")


def _central_square(image: Image.Image) -> Image.Image:
    width, height = image.size
    short = min(width, height)
    left, top = (width - short) // 2, (height - short) // 2
    return image.crop((left, top, left + short, top + short))


def _eight_bits(image: Image.Image, file_format: str | None) -> Image.Image:
    """The picture in mode L where it is gray, else RGB, over white."""
    if image.mode in ("L", "RGB") and not image.has_transparency_data:
        image.load()
        return image
    width, height = image.size
    whole = None
    for top in range(0, height, _BAND):
        band = _converted(image.crop((0, top, width, min(height, top + _BAND))), file_format)
        whole = whole or Image.new(band.mode, image.size)
        whole.paste(band, (0, top))
    return whole


def _converted(image: Image.Image, file_format: str | None) -> Image.Image:
    if image.mode.startswith("I;16") or (image.mode == "I" and file_format == "PPM"):
        levels = np.asarray(image).astype(np.int32)
        levels = np.where(levels == image.info.get("transparency", -1), 65_535, levels)
        return Image.fromarray(((levels + 128) // 257).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError("32 bits a pixel, whose white is not known; save it with 8 or 16")
    gray = image.mode in ("1", "L", "LA")
    if image.mode == "P":
        palette = np.array(image.getpalette("RGB")).reshape(-1, 3)
        gray = bool((palette == palette[:, :1]).all())
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert("L" if gray else "RGB")
