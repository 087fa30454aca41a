"""Decodes the pictures of a tar archive that is read into memory."""

import io
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from lecture_models.data import archives
from lecture_models.data.dataset import DataError, DataFile

Pixels = UInt8[np.ndarray, "height width channel"]


def read_pictures(
    path: Path, shape: tuple[int, int, int], file_format: str
) -> tuple[dict[str, Pixels], DataFile]:
    """Returns the pictures of a `.tar` or `.tar.gz` archive by their names, sorted.

    Args:
        path: the archive.
        shape: height, width and channels that every picture must have.
        file_format: Pillow's name of the only format that is read, such as "PNG".

    Returns:
        The bytes of each picture's pixels, and the archive's path and SHA-256.

    Raises:
        DataError: the archive is damaged or empty, or a picture cannot be decoded or has another
            shape.
    """
    content, record = archives.read_unpacked(path)
    encoded = dict(sorted(archives.tar_files(content, path)))
    if not encoded:
        raise DataError(f"{path} holds no files; delete it and fetch it again")
    pictures = {
        name: decode_picture(data, f"{path}: {name}", shape, file_format)
        for name, data in encoded.items()
    }
    return pictures, record


def decode_picture(
    content: bytes, name: str, shape: tuple[int, int, int], file_format: str
) -> Pixels:
    """Returns the pixels of a picture of a known format and shape.

    Args:
        content: the bytes of the file.
        name: how error messages name the file.
        shape: height, width and channels that it must have.
        file_format: Pillow's name of the format.

    Raises:
        DataError: the file cannot be decoded or has another shape.
    """
    try:
        with Image.open(io.BytesIO(content), formats=[file_format]) as image:
            pixels = np.atleast_3d(np.asarray(image))
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{name} is cut off or not a {file_format} file ({error})") from error
    if pixels.shape != shape or pixels.dtype != np.uint8:
        raise DataError(
            f"{name} has the shape {pixels.shape} of {pixels.dtype}; it must be {shape} of uint8"
        )
    return pixels
