"""Reads the pictures of a folder, and finds those that show the same."""

import collections
import concurrent.futures
import hashlib
import os
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8

from lecture_models.data.picture import decode, may_be_drafted, reason, shown
from lecture_models.data.picture_formats import require_readable_kind


class FolderPicture(NamedTuple):
    """Holds a picture of a folder.

    Attributes:
        path: path of the file, relative to the folder.
        sha256: SHA-256 of the file.
        size: width and height in the file.
        pixels: the central square, resized.
        may_be_drafted: True if it was perhaps decoded at a fraction of its size.
    """

    path: Path
    sha256: str
    size: tuple[int, int]
    pixels: UInt8[np.ndarray, "side side channel"]
    may_be_drafted: bool


class BadFile(NamedTuple):
    """Holds the name of a file that cannot be read, relative to the folder, and the reason."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{shown(self.path)} ({self.reason})"


def read_all(
    folder: Path, paths: list[Path], side: int
) -> tuple[list[FolderPicture], list[BadFile]]:
    """Returns the central squares of pictures, resized to a side, and the files that are bad.

    Args:
        folder: the folder.
        paths: the pictures, relative to it.
        side: height and width of the images.
    """

    def attempt(path: Path) -> FolderPicture | BadFile:
        try:
            require_readable_kind(path)
            content = (folder / path).read_bytes()
            if not content:
                return BadFile(path, "empty")
            decoded = decode(content, side, square=True)
        except MemoryError:
            raise
        except Exception as error:  # Each of Pillow's readers has exceptions of its own.
            return BadFile(path, reason(error))
        sha256 = hashlib.sha256(content).hexdigest()
        drafted = may_be_drafted(content, decoded.size, side)
        return FolderPicture(path, sha256, decoded.size, decoded.pixels, drafted)

    results = _in_threads(attempt, paths)
    pictures = [result for result in results if isinstance(result, FolderPicture)]
    return pictures, [result for result in results if isinstance(result, BadFile)]


def same_pictures(folder: Path, pictures: list[FolderPicture]) -> dict[str, str]:
    """Returns, for the SHA-256 of each file, the lowest SHA-256 among files with the same pixels.

    The pixels of the central square are compared at the size that they have in the file, so a PNG
    and the JPEG that it was made from are the same picture, and a gray one that is saved in color.
    The whole squares are decoded only where the resized ones leave a doubt.

    Args:
        folder: the folder.
        pictures: its pictures.
    """
    by_sha256 = {picture.sha256: picture for picture in pictures}
    alike = collections.defaultdict(set)
    by_size = collections.defaultdict(lambda: (set(), set()))
    for sha256, picture in by_sha256.items():
        square = min(picture.size)
        alike[square, _digest(picture.pixels)].add(sha256)
        by_size[square][picture.may_be_drafted].add(sha256)
    doubtful = {sha256 for group in alike.values() if len(group) > 1 for sha256 in group}
    for whole_ones, drafted_ones in by_size.values():
        # The resized pixels of the two kinds differ even if the whole squares are the same.
        if whole_ones and drafted_ones:
            doubtful |= whole_ones | drafted_ones

    def whole(sha256: str) -> str:
        content = (folder / by_sha256[sha256].path).read_bytes()
        return _digest(decode(content, square=True).pixels)

    ordered = sorted(doubtful)
    lowest: dict[str, str] = {}
    same = {sha256: sha256 for sha256 in by_sha256}
    for sha256, pixels in zip(ordered, _in_threads(whole, ordered), strict=True):
        same[sha256] = lowest.setdefault(pixels, sha256)
    return same


def _digest(pixels: UInt8[np.ndarray, "height width channel"]) -> str:
    """Returns the SHA-256 of shape and pixels in color."""
    colored = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    return hashlib.sha256(f"{colored.shape}".encode() + colored.tobytes()).hexdigest()


def _in_threads(function: Callable[[Any], Any], arguments: Iterable[Any]) -> list[Any]:
    """Returns the results in order; Pillow decodes and resizes without holding Python's lock."""
    # Pillow's warnings concern metadata and large pictures that are still allowed. Filters hold for
    # the whole process, so they are set outside of the threads.
    with warnings.catch_warnings(), concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.simplefilter("ignore")
        return list(pool.map(function, arguments))
