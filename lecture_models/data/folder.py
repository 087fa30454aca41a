"""Reads a folder of the user's own pictures, of any size, gray or color, as a data set.

Sub-folders are searched too. If all pictures lie in sub-folders, the sub-folders one level down are
the classes; otherwise there is one class. Hidden files and files without a picture's extension are
ignored. A picture is rotated as its EXIF data says, blended with white where it is transparent,
cropped to its central square and resized with antialiasing; of an animation the first frame is
read. The files need no checksum: their SHA-256s are recorded.
"""

import collections
import dataclasses
import hashlib
import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lecture_models.data.dataset import DataError, DataFile, Dataset, Provenance, Split
from lecture_models.data.folder_classes import class_names, label_warnings, untrained_warnings
from lecture_models.data.folder_files import find_files
from lecture_models.data.folder_pictures import BadFile, FolderPicture, read_all, same_pictures
from lecture_models.data.listing import count_of, first_of
from lecture_models.data.picture import shown
from lecture_models.data.pixels import images_from_uint8

MIN_PICTURES = 10  # Different ones; with fewer, three splits are of no use.
_TRAIN, _VALIDATION, _TEST = range(3)


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


def read(folder: Path, options: PictureOptions, announce: Callable[[str], None]) -> Dataset:
    """Returns the pictures, gray if all of them are gray, in splits of about 80, 10 and 10%.

    The SHA-256 of a file decides its split and its place in it. So classes are mixed, and a file
    that is added or renamed moves no other. Of files with the same pixels the lowest SHA-256
    decides for all, so they are in the same split. If a split would be empty, it gets the picture
    with the lowest SHA-256 of the largest split. The provenance has one digest, computed from the
    size and from the SHA-256 and class of each picture.

    Args:
        folder: the folder of the pictures.
        options: how they are read.
        announce: is called with one line before and after reading, for each skipped file, and for
            each warning: labels that contradict each other, classes without a training picture or
            without any, links that are not followed.

    Raises:
        DataError: the folder does not exist; it holds no picture, fewer than `MIN_PICTURES`
            different ones, or more than fits in memory; or a file cannot be read, because it is
            empty, cut off, not a picture, or of more than 179 megapixels, and is not to be skipped.
    """
    side = options.image_size
    paths, ignored, warnings = find_files(folder)
    kinds = [f"{number:,} {kind}" for kind, number in sorted(ignored.items()) if number]
    others = count_of(ignored.total(), "other file")
    beside = f"; {others} ignored ({first_of(kinds)})" if kinds else ""
    if not paths:
        raise DataError(f"{folder} holds no pictures{beside}; --data_dir must name their folder")
    _require_memory(folder, len(paths), side, channels=1)
    announce(f"reading {count_of(len(paths), 'picture')} in {folder}")
    pictures, bad = read_all(folder, paths, side)
    if bad and not options.skip_bad_images:
        raise _refusal(folder, bad, len(paths))
    for file in bad:
        announce(f"skipped: {file}")
    pictures.sort(key=lambda picture: (picture.sha256, picture.path))
    same = same_pictures(folder, pictures)
    splits = _choose_splits(set(same.values()), len(pictures), folder)
    places = [splits[same[picture.sha256]] for picture in pictures]
    names = class_names(pictures)
    warnings = [*warnings, *label_warnings(folder, pictures, names, same)]
    warnings += untrained_warnings(names, [place == _TRAIN for place in places])
    parts, channels = _assemble(folder, pictures, names, side, places)
    note = _describe(pictures, parts, names, len(splits)) + beside + _skipped(bad)
    announce(f"{folder}: {note}")
    for warning in warnings:
        announce(f"warning: {warning}")
    color = "gray" if channels == 1 else "color"
    return Dataset(
        *parts,
        classes=tuple(sorted(set(names))),
        provenance=Provenance(
            "folder",
            f"a folder of {len(pictures):,} pictures as {side}x{side} {color}",
            (DataFile(Path(shown(folder.absolute())), _tree_digest(side, pictures, names, same)),),
            "; ".join([note, *warnings]),
        ),
    )


def _refusal(folder: Path, bad: list[BadFile], count: int) -> DataError:
    """Returns the error about files that cannot be read, of `count` pictures."""
    return DataError(
        f"{len(bad):,} of {count_of(count, 'picture')} in {folder} cannot be read: "
        f"{first_of([str(file) for file in bad])}; --skip_bad_images skips such files"
    )


def _require_memory(folder: Path, count: int, side: int, channels: int) -> None:
    """Raises DataError if the bytes and floats of so many images exceed the machine's memory."""
    needed = 5 * count * side * side * channels
    present = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > present:
        raise DataError(
            f"{count:,} pictures in {folder} at {side}x{side} need {needed / 2**30:,.1f} GiB of "
            f"memory; this machine has {present / 2**30:,.1f} GiB: give a smaller --image_size"
        )


def _choose_splits(digests: set[str], total: int, folder: Path) -> dict[str, int]:
    """Returns the split of each SHA-256: modulo 10, 0 is for test and 1 for validation."""
    if len(digests) < MIN_PICTURES:
        copies = f", {len(digests)} of them different" if len(digests) < total else ""
        raise DataError(
            f"{folder} holds {count_of(total, 'picture')} that can be read{copies}; at least "
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


def _assemble(
    folder: Path,
    pictures: list[FolderPicture],
    names: list[str],
    side: int,
    places: list[int],
) -> tuple[list[Split], int]:
    """Returns the three splits, and the number of channels."""
    channels = max(picture.pixels.shape[-1] for picture in pictures)
    _require_memory(folder, len(pictures), side, channels)
    pixels = np.empty((len(pictures), side, side, channels), np.uint8)
    for image, picture in zip(pixels, pictures, strict=True):
        image[:] = picture.pixels  # A gray picture is repeated if others have color.
    labels = np.unique(names, return_inverse=True)[1].astype(np.int32)
    chosen = [np.array(places) == split for split in (_TRAIN, _VALIDATION, _TEST)]
    return [
        Split.labeled_images(images_from_uint8(pixels[part]), labels[part]) for part in chosen
    ], channels


def _tree_digest(
    side: int, pictures: list[FolderPicture], names: list[str], same: dict[str, str]
) -> str:
    lines = [f"{picture.sha256} {name}" for picture, name in zip(pictures, names, strict=True)]
    lines += [f"{sha256} = {lowest}" for sha256, lowest in same.items() if sha256 != lowest]
    return hashlib.sha256("\n".join([str(side), *lines]).encode()).hexdigest()


def _describe(
    pictures: list[FolderPicture], parts: list[Split], names: list[str], different: int
) -> str:
    sizes = sorted((picture.size for picture in pictures), key=math.prod)
    ends = [f"{width}x{height}" for width, height in dict.fromkeys((sizes[0], sizes[-1]))]
    counts = [f"{len(part.labels):,}" for part in parts]
    classes = sorted(set(names))
    copies = len(pictures) - different
    note = (
        f"central squares of pictures of {' to '.join(ends)} pixels; {' + '.join(counts)} for "
        "training, validation and test by each file's SHA-256"
    )
    if len(classes) > 1:
        note += f"; {len(classes):,} classes, the sub-folders {first_of(classes)}"
    return note + (f"; copies of other pictures: {copies:,}" if copies else "")


def _skipped(bad: list[BadFile]) -> str:
    if not bad:
        return ""
    names = first_of([shown(file.path) for file in bad], most=20)
    return f"; skipped as unreadable: {count_of(len(bad), 'file')}, {names}"
