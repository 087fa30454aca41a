"""Decodes picture files of many formats to bytes, gray or red, green and blue.

A picture is rotated as its EXIF data says, its colors are converted from its color profile to sRGB,
and it is blended with white where it is transparent; of an animation the first frame is read, and
16 bits become 8. Resizing is bicubic with antialiasing.
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
from lecture_models.data.color_profiles import ColorConversion, to_srgb
from lecture_models.data.dataset import DataError
from lecture_models.data.picture_formats import (
    HEIC_FORMAT,
    further_suffixes,
    is_heic,
    kind_in_words,
    register_heic,
    require_readable_kind,
)
from lecture_models.data.sample_pictures import sample_file

# Pillow knows more: but it passes EPS to another program, and only recognizes MPEG and HDF5.
_FORMATS = (
    *("AVIF", "BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "PSD"),
    *("QOI", "SGI", "TGA", "TIFF", "WEBP"),
)
# JPEG decodes faster at 1/2, 1/4 or 1/8 of its size, but may lose the last row and column. At 8
# times the final size or more, these are at most an eighth of a pixel.
_DRAFT = 8
_BAND = 1024  # Rows converted at once, because several copies of a large picture may not fit.
MIN_SIDE = 16
MAX_ENLARGED = 4
_MAX_PIXELS = 178_956_970  # Pillow refuses to read more.


class DecodedPicture(NamedTuple):
    """Holds a picture with one channel or three.

    Attributes:
        size: width and height in the file, before EXIF's rotation.
        pixels: 0 is black, 255 is white; blended with white where the picture is transparent.
        alpha: the opacity of each pixel, 0 transparent and 255 opaque; None if all are opaque.
    """

    size: tuple[int, int]
    pixels: UInt8[np.ndarray, "height width channel"]
    alpha: UInt8[np.ndarray, "height width"] | None = None


class PictureFile(NamedTuple):
    """Holds a file that was read, in color; a gray picture has three equal channels.

    Attributes:
        path: the path of the file.
        sha256: SHA-256 of the file.
        size: width and height in the file, before EXIF's rotation.
        pixels: 0 is black, 255 is white; blended with white where the picture is transparent.
        alpha: the opacity of each pixel, 0 transparent and 255 opaque; None if all are opaque.
    """

    path: Path
    sha256: str
    size: tuple[int, int]
    pixels: UInt8[np.ndarray, "height width 3"]
    alpha: UInt8[np.ndarray, "height width"] | None = None


def read(path: Path, shorter_side: int | None = None, square: bool = False) -> PictureFile:
    """Returns a picture, with its shorter side resized to a length.

    Args:
        path: the path of the file.
        shorter_side: length of the shorter side, in pixels; None keeps the picture's size.
        square: keeps only the central square.

    Raises:
        DataError: the file does not exist, is empty, is cut off, is not a picture, or has more than
            179 megapixels.
    """
    content, record = read_file(path)
    with readable(path):
        decoded = decode(content, shorter_side, square)
    return _colored(path, record.sha256, decoded)


def read_at(
    path: Path, size: int | None, square: bool = False, flag: str = "--size"
) -> PictureFile:
    """Returns a picture, with its longer side resized to a length that is checked.

    Args:
        path: the path of the file.
        size: length of the longer side, or of both sides if `square`, in pixels; None keeps the
            picture's size.
        square: keeps only the central square.
        flag: the flag that the user gave `size` by, for error messages.

    Raises:
        DataError: as by `read`; or, before the picture is decoded, a side would be shorter than
            `MIN_SIDE`, the picture would be enlarged more than `MAX_ENLARGED` times, or it would
            have more than 179 megapixels.
    """
    if size is not None and size < MIN_SIDE:
        raise DataError(f"{flag} is {size}; it must be at least {MIN_SIDE}")
    content, record = read_file(path)
    with readable(path):
        file_size = _open(content).size
    check_size(path, file_size, size, square, flag)
    with readable(path):
        decoded = decode(content, size, square) if square else decode(content, longer_side=size)
    return _colored(path, record.sha256, decoded)


def decode(
    content: bytes,
    shorter_side: int | None = None,
    square: bool = False,
    longer_side: int | None = None,
) -> DecodedPicture:
    """Decodes a picture file.

    Args:
        content: the bytes of the file.
        shorter_side: length to which the shorter side is resized, in pixels; None for no change.
        square: keeps only the central square.
        longer_side: length to which the longer side is resized; at most one side may be given.

    Raises:
        ValueError: the levels have 32 bits, so the level of white is not known.
        Exception: Pillow cannot read the file.
    """
    with _open(content) as image:
        size = image.size
        scaled_size = _scaled(size, shorter_side, longer_side)
        if scaled_size != size:
            image.draft(None, (_DRAFT * scaled_size[0], _DRAFT * scaled_size[1]))
        ImageOps.exif_transpose(image, in_place=True)
        cut = _central_square(image) if square else image
        levels, alpha = _eight_bits(cut, image.format, to_srgb(image))
    sides = _scaled(levels.size, shorter_side, longer_side)
    if sides != levels.size:
        # Pillow clips the overshoot of bicubic interpolation to 0 ... 255.
        levels = levels.resize(sides, Image.Resampling.BICUBIC)
        alpha = alpha and alpha.resize(sides, Image.Resampling.BICUBIC)
    opacity = None if alpha is None else np.asarray(alpha)
    return DecodedPicture(size, np.atleast_3d(np.asarray(levels)), opacity)


def frame_pixels(image: Image.Image, longer_side: int) -> UInt8[np.ndarray, "height width 3"]:
    """Returns a frame of a film over white, with its longer side resized to a length in pixels."""
    levels, _ = _eight_bits(image, image.format, None)
    sides = _scaled(levels.size, None, longer_side)
    if sides != levels.size:
        levels = levels.resize(sides, Image.Resampling.BICUBIC)
    return np.asarray(levels.convert("RGB"))


def may_be_drafted(content: bytes, size: tuple[int, int], shorter_side: int) -> bool:
    """Returns True if `decode` may decode a picture at a fraction of its size: a large JPEG.

    Args:
        content: the bytes of the file.
        size: width and height in the file.
        shorter_side: length to which the shorter side is resized, in pixels.
    """
    return content.startswith(b"\xff\xd8") and min(size) >= 2 * _DRAFT * shorter_side


def extensions() -> set[str]:
    """Returns the extensions of picture files, such as ".jpg", in small letters.

    Among them are those of kinds that cannot be read, so that no picture is left out silently.
    """
    Image.init()
    formats = Image.registered_extensions().items()
    known = {extension for extension, name in formats if name in _FORMATS}
    return known | further_suffixes()


def find(path: Path) -> list[Path]:
    """Returns the file at `path`, or the sorted pictures in a folder and its sub-folders.

    Raises:
        DataError: `path` does not exist, or the folder holds no picture.
    """
    if not path.is_dir():
        if not path.exists():
            raise DataError(f"there is no picture or folder {shown(path)}")
        return [path]
    known = extensions()
    pictures = [
        file
        for file in sorted(path.rglob("*"))
        if file.suffix.lower() in known
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    if not pictures:
        raise DataError(f"{shown(path)} holds no pictures")
    return pictures


def sample_files() -> list[Path]:
    """Returns the paths of the two photos that scikit-learn ships.

    Raises:
        DataError: scikit-learn is not installed.
    """
    return [sample_file("china"), sample_file("flower")]


def digest(pictures: list[PictureFile]) -> str:
    """Returns one SHA-256 for several files in their order."""
    return hashlib.sha256("\n".join(file.sha256 for file in pictures).encode()).hexdigest()


def reason(error: Exception) -> str:
    """Returns why a file cannot be read, in one line of at most 100 characters."""
    message = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(message.split())[:100]


def shown(name: Path | str) -> str:
    """Returns a name that can be printed and recorded, even if it is not valid UTF-8."""
    return str(name).encode("utf-8", "backslashreplace").decode()


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns every exception into a DataError that names the file, and refuses unreadable kinds."""
    try:
        require_readable_kind(path)
        with warnings.catch_warnings():
            # They concern metadata, and large pictures that are still allowed.
            warnings.simplefilter("ignore")
            yield
    except MemoryError:
        raise
    except Exception as error:  # Each of Pillow's readers has exceptions of its own.
        raise DataError(f"{shown(path)} cannot be read: {reason(error)}") from error


def _open(content: bytes) -> Image.Image:
    Image.init()  # Without it Pillow knows only the most common formats.
    known = [name for name in _FORMATS if name in Image.OPEN]
    if is_heic(content):
        register_heic()
        known = [HEIC_FORMAT]
    try:
        return Image.open(io.BytesIO(content), formats=known)
    except UnidentifiedImageError as error:  # Its message names an address in memory.
        raise ValueError(kind_in_words(content)) from error


def _colored(path: Path, sha256: str, decoded: DecodedPicture) -> PictureFile:
    pixels = np.broadcast_to(decoded.pixels, (*decoded.pixels.shape[:2], 3))
    return PictureFile(path, sha256, decoded.size, pixels, decoded.alpha)


def _scaled(
    size: tuple[int, int], shorter_side: int | None, longer_side: int | None
) -> tuple[int, int]:
    """Returns width and height when one side has its length; unchanged if both are None."""
    if shorter_side is None and longer_side is None:
        return size
    scale = longer_side / max(size) if shorter_side is None else shorter_side / min(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def check_size(
    path: Path,
    file_size: tuple[int, int],
    size: int | None,
    square: bool = False,
    flag: str = "--size",
) -> None:
    """Raises DataError if a picture of this width and height does not suit `size`: `read_at`."""
    named = f"{shown(path)} is {file_size[0]}x{file_size[1]}"
    side = min(file_size) if square else max(file_size)
    if size is not None and size > MAX_ENLARGED * side:
        raise DataError(
            f"{named}; {flag}={size} would enlarge it {size / side:.3g} times; at most "
            f"{MAX_ENLARGED} times are allowed"
        )
    width, height = _scaled(file_size, size if square else None, None if square else size)
    if min(width, height) < MIN_SIDE:
        at = "" if size is None else f", {width}x{height} at {flag}={size}"
        raise DataError(f"{named}{at}; both sides must be at least {MIN_SIDE}")
    if width * height > _MAX_PIXELS:
        raise DataError(
            f"{named}, {width}x{height} at {flag}={size}; at most 179 megapixels are allowed"
        )


def _central_square(image: Image.Image) -> Image.Image:
    width, height = image.size
    short = min(width, height)
    left, top = (width - short) // 2, (height - short) // 2
    return image.crop((left, top, left + short, top + short))


def _eight_bits(
    image: Image.Image, file_format: str | None, convert: ColorConversion | None
) -> tuple[Image.Image, Image.Image | None]:
    """Returns the picture over white, in mode L if it is gray and RGB otherwise, and its opacity.

    The opacity has mode L; it is None if every pixel is opaque.
    """
    if image.mode in ("L", "RGB") and not image.has_transparency_data and convert is None:
        image.load()
        return image, None
    width, height = image.size
    whole, opacity = None, None
    for top in range(0, height, _BAND):
        cut = image.crop((0, top, width, min(height, top + _BAND)))
        band, alpha = _converted(cut, file_format, convert)
        whole = whole or Image.new(band.mode, image.size)
        whole.paste(band, (0, top))
        if alpha is not None:
            opacity = opacity or Image.new("L", image.size, 255)
            opacity.paste(alpha, (0, top))
    is_opaque = opacity is None or opacity.getextrema()[0] == 255
    return whole, None if is_opaque else opacity


def _converted(
    image: Image.Image, file_format: str | None, convert: ColorConversion | None
) -> tuple[Image.Image, Image.Image | None]:
    image, alpha = _with_eight_bits(image, file_format)
    gray = image.mode in ("1", "L", "LA")
    if image.mode == "P":
        palette = np.array(image.getpalette("RGB")).reshape(-1, 3)
        gray = bool((palette == palette[:, :1]).all())
    if image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A")
    if convert is not None:
        image = convert(image)
    if alpha is not None:
        image = image.convert("RGB")
        image = Image.composite(image, Image.new("RGB", image.size, "white"), alpha)
    return image.convert("L" if gray else "RGB"), alpha


def _with_eight_bits(
    image: Image.Image, file_format: str | None
) -> tuple[Image.Image, Image.Image | None]:
    """Returns the picture with 8 bits per channel, and what 16 bits said of its opacity."""
    if image.mode.startswith("I;16") or (image.mode == "I" and file_format == "PPM"):
        levels = np.asarray(image).astype(np.int32)
        absent = levels == image.info.get("transparency", -1)
        alpha = Image.fromarray(np.where(absent, 0, 255).astype(np.uint8)) if absent.any() else None
        return Image.fromarray(((levels + 128) // 257).astype(np.uint8)), alpha
    if image.mode in ("I", "F"):
        raise ValueError("32 bits per pixel, whose white is not known; save it with 8 or 16")
    return image, None
