"""Reads the classes of pictures from their folders, and finds what is wrong with them."""

import collections
from pathlib import Path

from lecture_models.data.folder_pictures import FolderPicture
from lecture_models.data.listing import count_of, first_of
from lecture_models.data.picture import shown


def class_names(pictures: list[FolderPicture]) -> list[str]:
    """Returns the name of each picture's class: its sub-folder, if all pictures lie in one."""
    if all(_has_folder(picture) for picture in pictures):
        return [shown(picture.path.parts[0]) for picture in pictures]
    return ["pictures"] * len(pictures)


def label_warnings(
    folder: Path, pictures: list[FolderPicture], names: list[str], same: dict[str, str]
) -> list[str]:
    """Returns a line for each way in which the folders leave the labels in doubt.

    Args:
        folder: the folder of the pictures.
        pictures: the pictures.
        names: the class of each.
        same: what `folder_pictures.same_pictures` returned.
    """
    return [*_contradictions(pictures, names, same), *_without_class(folder, pictures)]


def untrained_warnings(names: list[str], trains: list[bool]) -> list[str]:
    """Returns a line if classes have no picture for training.

    Args:
        names: the class of each picture.
        trains: whether each picture is for training.
    """
    trained = {name for name, train in zip(names, trains, strict=True) if train}
    counts = collections.Counter(names)
    untrained = [
        f"{name} ({count_of(counts[name], 'picture')})" for name in sorted(counts.keys() - trained)
    ]
    if not untrained:
        return []
    return [
        f"no picture for training in {first_of(untrained)}: all of them are for validation and "
        "test, so the class cannot be learned; add pictures"
    ]


def _contradictions(
    pictures: list[FolderPicture], names: list[str], same: dict[str, str]
) -> list[str]:
    by_pixels: dict[str, dict[str, str]] = collections.defaultdict(dict)
    for picture, name in zip(pictures, names, strict=True):
        by_pixels[same[picture.sha256]].setdefault(name, shown(picture.path))
    several = [sorted(paths.values()) for paths in by_pixels.values() if len(paths) > 1]
    if not several:
        return []
    shown_ones = first_of([" = ".join(paths) for paths in sorted(several)])
    return [
        f"contradictory labels: {count_of(len(several), 'picture')} in more than one class: "
        f"{shown_ones}; leave each in one class"
    ]


def _without_class(folder: Path, pictures: list[FolderPicture]) -> list[str]:
    """Returns a line about sub-folders that are not classes although their place suggests it."""
    filled = {picture.path.parts[0] for picture in pictures if _has_folder(picture)}
    outside = sorted(shown(picture.path) for picture in pictures if not _has_folder(picture))
    if outside and filled:
        return [
            f"{count_of(len(outside), 'picture')} beside the sub-folders ({first_of(outside)}), so "
            "the sub-folders are not classes: all pictures form one class"
        ]
    empty = sorted(
        shown(path.name)
        for path in folder.iterdir()
        if path.is_dir() and path.name not in filled and not path.name.startswith(".")
    )
    if empty and filled:
        return [f"no picture that can be read in the sub-folder {first_of(empty)}"]
    return []


def _has_folder(picture: FolderPicture) -> bool:
    return len(picture.path.parts) > 1
