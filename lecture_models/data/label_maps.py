"""Decodes pictures whose values are not colors: masks, numbers of instances, depths."""

import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from lecture_models.data.dataset import DataError

_MODES = ("1", "L", "P")  # One bit; 8-bit gray; 8-bit numbers with a palette.


def decode_map(
    content: bytes, name: str, size: tuple[int, int] | None = None
) -> UInt8[np.ndarray, "height width"]:
    """Returns the values of a map, from 0 to 255.

    Args:
        content: the bytes of a file that loses nothing, such as PNG.
        name: how error messages name the file.
        size: width and height that the map must have; None for any.

    Raises:
        DataError: the file cannot be decoded, has colors or 16 bits, is lossy, or has another size.
    """
    try:
        with Image.open(io.BytesIO(content)) as image:
            mode, kind = image.mode, image.format
            values = np.array(image, np.uint8) if mode in _MODES else None
            found = image.size
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{name} is cut off or not a picture ({error})") from error
    if values is None:
        raise DataError(
            f"{name} has pixels of the mode {mode}; a map must have one channel of 1 or 8 bits "
            "(16-bit maps and colors are not read)"
        )
    if kind == "JPEG":
        raise DataError(f"{name} is a JPEG file, which changes values; a map must be a PNG file")
    if size is not None and found != size:
        raise DataError(
            f"{name} has {found[0]}x{found[1]} pixels; its picture has {size[0]}x{size[1]}"
        )
    return values


def binary_mask(values: UInt8[np.ndarray, "height width"], name: str) -> np.ndarray:
    """Returns a mask of 0 and 1.

    Args:
        values: 0 for background and one other value for the object.
        name: how error messages name the file.

    Raises:
        DataError: the mask has more than one value beside 0, or no object at all.
    """
    present = np.unique(values).tolist()
    others = [value for value in present if value]
    if len(others) > 1:
        raise DataError(f"{name} has the values {present[:5]}; a mask has 0 and one other value")
    if not others:
        raise DataError(f"{name} has no object: all of its pixels are 0")
    return (values > 0).astype(np.uint8)
