"""Reads a folder of the user's own pictures, of any size, gray or color, as a data set.

Sub-folders are searched too. If all pictures lie in sub-folders, the sub-folders one level down are
the classes; otherwise there is one class. Hidden files and files without a picture's extension are
ignored. A picture is rotated as its EXIF data says, blended with white where it is transparent,
cropped to its central square and resized with antialiasing; of an animation the first frame is
read. The files need no checksum: their SHA-256s are recorded.
"""

import collections
import concurrent.futures
import dataclasses
import hashlib
import math
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from lecture_models.data.dataset import DataError, DataFile, Dataset, Provenance, Split
from lecture_models.data.picture import decode, extensions, reason, shown
from lecture_models.data.pixels import images_from_uint8

MIN_PICTURES = 10  # Different ones; with fewer, three splits are of no use.
_TRAIN, _VALIDATION, _TEST = range(3)
_SHOWN = 5  # Names in a message of one line.


@dataclasses.dataclass(frozen=True)
class PictureOptions:
    """Says how pictures are read; each field is a flag of the command line.

    Attributes:
        image_size: height and width of the images, in pixels; a positive multiple of 4, because
            models halve it twice.
        skip_bad_images: skips files that cannot be read; False refuses the folder.

    Raises:
        ValueError: `image_size` is not a positive multiple of 4.
    """

    image_size: int = 28
    skip_bad_images: bool = False

    def __post_init__(self):
        if self.image_size < 4 or self.image_size % 4:
            raise ValueError(
                f"--image_size is {self.image_size}; it must be a positive multiple of 4"
            )


class _FolderPicture(NamedTuple):
    path: Path  # Relative to the folder.
    sha256: str
    size: tuple[int, int]
    pixels: UInt8[np.ndarray, "side side channel"]


class _BadFile(NamedTuple):
    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{shown(self.path)} ({self.reason})"


def read(folder: Path, options: PictureOptions, announce: Callable[[str], None]) -> Dataset:
    """Returns the pictures, gray if all of them are gray, in splits of about 80, 10 and 10%.

    The SHA-256 of a file decides its split and its place in it. So classes are mixed, copies of a
    file are in the same split, and a file that is added or renamed moves no other. If a split would
    be empty, it gets the picture with the lowest SHA-256 of the largest split. The provenance has
    one digest, computed from the size and from the SHA-256 and class of each picture.

    Args:
        folder: the folder of the pictures.
        options: how they are read.
        announce: is called with one line before and after reading, and for each skipped file.

    Raises:
        DataError: the folder does not exist; it holds no picture, fewer than `MIN_PICTURES`
            different ones, or more than fits in memory; or a file cannot be read, because it is
            empty, cut off, not a picture, or of more than 179 megapixels, and is not to be skipped.
    """
    side = options.image_size
    paths, ignored = _find(folder)
    kinds = [f"{number:,} {kind}" for kind, number in sorted(ignored.items())]
    others = _count(ignored.total(), "other file")
    beside = f"; {others} ignored ({_first_of(kinds)})" if ignored else ""
    if not paths:
        raise DataError(f"{folder} holds no pictures{beside}; --data_dir must name their folder")
    _require_memory(folder, len(paths), side, channels=1)
    announce(f"reading {_count(len(paths), 'picture')} in {folder}")
    pictures, bad = _read_all(folder, paths, side)
    if bad and not options.skip_bad_images:
        raise DataError(
            f"{len(bad):,} of {_count(len(paths), 'picture')} in {folder} cannot be read: "
            f"{_first_of([str(file) for file in bad])}; --skip_bad_images skips such files"
        )
    for file in bad:
        announce(f"skipped: {file}")
    splits = _choose_splits({picture.sha256 for picture in pictures}, len(pictures), folder)
    pictures.sort(key=lambda picture: (picture.sha256, picture.path))
    names = _class_names(pictures)
    parts, channels = _assemble(folder, pictures, names, side, splits)
    note = _describe(pictures, parts, names) + beside
    if bad:
        skipped = _first_of([shown(file.path) for file in bad], most=20)
        note += f"; skipped as unreadable: {_count(len(bad), 'file')}, {skipped}"
    announce(f"{folder}: {note}")
    color = "gray" if channels == 1 else "color"
    return Dataset(
        *parts,
        classes=tuple(sorted(set(names))),
        provenance=Provenance(
            "folder",
            f"a folder of {len(pictures):,} pictures as {side}x{side} {color}",
            (DataFile(Path(shown(folder.absolute())), _tree_digest(side, pictures, names)),),
            note,
        ),
    )


def _find(folder: Path) -> tuple[list[Path], collections.Counter[str]]:
    """Returns the relative paths of the pictures, sorted; and the ignored files by extension."""
    if not folder.is_dir():
        raise DataError(
            f"{folder} is not a folder; --data_dir must name the folder of the pictures"
        )
    known = extensions()
    paths, ignored, visited = [], collections.Counter(), set()
    for parent, folders, files in os.walk(folder, onerror=_cannot_list, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if (identity := os.path.realpath(parent)) in visited:  # A link leads back here.
            folders.clear()
            continue
        visited.add(identity)
        for path in (Path(parent, name) for name in files):
            if path.name.startswith("."):
                ignored["hidden"] += 1
            # A broken link is a picture that cannot be read; a pipe would block.
            elif path.suffix.lower() in known and (path.is_file() or path.is_symlink()):
                paths.append(path.relative_to(folder))
            else:
                ignored[shown(path.suffix.lower()) or "without extension"] += 1
    return sorted(paths), ignored


def _cannot_list(error: OSError) -> None:
    raise DataError(f"{error.filename} cannot be listed: {error.strerror}") from error


def _require_memory(folder: Path, count: int, side: int, channels: int) -> None:
    """Raises DataError if the bytes and floats of so many images exceed the machine's memory."""
    needed = 5 * count * side * side * channels
    present = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > present:
        raise DataError(
            f"{count:,} pictures in {folder} at {side}x{side} need {needed / 2**30:,.1f} GiB of "
            f"memory; this machine has {present / 2**30:,.1f} GiB: give a smaller --image_size"
        )


def _read_all(
    folder: Path, paths: list[Path], side: int
) -> tuple[list[_FolderPicture], list[_BadFile]]:
    def attempt(path: Path) -> _FolderPicture | _BadFile:
        try:
            content = (folder / path).read_bytes()
            if not content:
                return _BadFile(path, "empty")
            size, pixels = decode(content, side, square=True)
            return _FolderPicture(path, hashlib.sha256(content).hexdigest(), size, pixels)
        except MemoryError:
            raise
        except Exception as error:  # Each of Pillow's readers has exceptions of its own.
            return _BadFile(path, reason(error))

    # Pillow decodes and resizes without holding Python's lock. Its warnings concern metadata and
    # large pictures that are still allowed. Filters hold for the whole process, so they are set
    # outside of the threads.
    with warnings.catch_warnings(), concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.simplefilter("ignore")
        results = list(pool.map(attempt, paths))
    pictures = [result for result in results if isinstance(result, _FolderPicture)]
    return pictures, [result for result in results if isinstance(result, _BadFile)]


def _choose_splits(digests: set[str], total: int, folder: Path) -> dict[str, int]:
    """Returns the split of each SHA-256: modulo 10, 0 is for test and 1 for validation."""
    if len(digests) < MIN_PICTURES:
        copies = f", {len(digests)} of them different" if len(digests) < total else ""
        raise DataError(
            f"{folder} holds {_count(total, 'picture')} that can be read{copies}; at least "
            f"{MIN_PICTURES} different ones are needed for training, validation and test"
        )
    by_tenth = {0: _TEST, 1: _VALIDATION}
    splits = {digest: by_tenth.get(int(digest, 16) % 10, _TRAIN) for digest in sorted(digests)}
    for split in (_TRAIN, _VALIDATION, _TEST):
        sizes = collections.Counter(splits.values())
        if not sizes[split]:
            ((largest, _),) = sizes.most_common(1)
            splits[next(digest for digest in splits if splits[digest] == largest)] = split
    return splits


def _class_names(pictures: list[_FolderPicture]) -> list[str]:
    """Returns the name of each picture's class."""
    if all(len(picture.path.parts) > 1 for picture in pictures):
        return [shown(picture.path.parts[0]) for picture in pictures]
    return ["pictures"] * len(pictures)


def _assemble(
    folder: Path,
    pictures: list[_FolderPicture],
    names: list[str],
    side: int,
    splits: dict[str, int],
) -> tuple[list[Split], int]:
    """Returns the three splits, and the number of channels."""
    channels = max(picture.pixels.shape[-1] for picture in pictures)
    _require_memory(folder, len(pictures), side, channels)
    pixels = np.empty((len(pictures), side, side, channels), np.uint8)
    for image, picture in zip(pixels, pictures, strict=True):
        image[:] = picture.pixels  # A gray picture is repeated if others have color.
    labels = np.unique(names, return_inverse=True)[1].astype(np.int32)
    places = np.array([splits[picture.sha256] for picture in pictures])
    chosen = [places == split for split in (_TRAIN, _VALIDATION, _TEST)]
    return [
        Split.labeled_images(images_from_uint8(pixels[part]), labels[part]) for part in chosen
    ], channels


def _tree_digest(side: int, pictures: list[_FolderPicture], names: list[str]) -> str:
    lines = [f"{picture.sha256} {name}" for picture, name in zip(pictures, names, strict=True)]
    return hashlib.sha256("\n".join([str(side), *lines]).encode()).hexdigest()


def _describe(pictures: list[_FolderPicture], parts: list[Split], names: list[str]) -> str:
    sizes = sorted((picture.size for picture in pictures), key=math.prod)
    ends = [f"{width}x{height}" for width, height in dict.fromkeys((sizes[0], sizes[-1]))]
    counts = [f"{len(part.labels):,}" for part in parts]
    classes = sorted(set(names))
    copies = len(pictures) - len({picture.sha256 for picture in pictures})
    note = (
        f"central squares of pictures of {' to '.join(ends)} pixels; {' + '.join(counts)} for "
        "training, validation and test by each file's SHA-256"
    )
    if len(classes) > 1:
        note += f"; {len(classes):,} classes, the sub-folders {_first_of(classes)}"
    return note + (f"; copies of other pictures: {copies:,}" if copies else "")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _first_of(items: list[str], most: int = _SHOWN) -> str:
    rest = len(items) - most
    return ", ".join(items[:most]) + (f" and {rest:,} more" if rest > 0 else "")
