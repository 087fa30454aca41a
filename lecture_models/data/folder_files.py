"""Finds the picture files below a folder, and says what it does not read."""

import collections
import os
from pathlib import Path
from typing import NamedTuple

from lecture_models.data.dataset import DataError
from lecture_models.data.picture import extensions, shown


class FolderFiles(NamedTuple):
    """Lists what lies below a folder.

    Attributes:
        pictures: the paths of the pictures, relative to the folder, sorted.
        ignored: the number of other files, by extension.
        warnings: one line for each link to a folder that is not followed.
    """

    pictures: list[Path]
    ignored: collections.Counter[str]
    warnings: list[str]


def find_files(folder: Path) -> FolderFiles:
    """Returns the files below a folder, at every depth.

    Hidden files and folders are ignored. A link to a folder is followed, unless it leads to a
    folder that is read already; folders come before links, so that a picture has the name of the
    folder in which it really lies.

    Args:
        folder: the folder.

    Raises:
        DataError: it does not exist, or a folder cannot be listed.
    """
    if not folder.is_dir():
        raise DataError(
            f"{folder} is not a folder; --data_dir must name the folder of the pictures"
        )
    known = extensions()
    files = FolderFiles([], collections.Counter(), [])
    folders, links, visited = collections.deque([folder]), collections.deque(), set()
    while folders or links:
        is_link = not folders
        parent = links.popleft() if is_link else folders.popleft()
        if (real := os.path.realpath(parent)) in visited:
            if is_link:
                name = shown(parent.relative_to(folder))
                files.warnings.append(f"{name} is a link to {shown(real)}, which is read already")
            continue
        visited.add(real)
        for path in _entries(parent):
            if path.name.startswith("."):
                files.ignored["hidden"] += not path.is_dir()
            elif path.is_dir():
                (links if path.is_symlink() else folders).append(path)
            # A broken link is a picture that cannot be read; a pipe would block.
            elif path.suffix.lower() in known and (path.is_file() or path.is_symlink()):
                files.pictures.append(path.relative_to(folder))
            elif path.is_symlink() and not path.exists():
                name = shown(path.relative_to(folder))
                files.warnings.append(f"{name} is a link that leads nowhere")
            else:
                files.ignored[shown(path.suffix.lower()) or "without extension"] += 1
    files.pictures.sort()
    return files


def _entries(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(folder / entry.name for entry in entries)
    except OSError as error:
        raise DataError(f"{error.filename} cannot be listed: {error.strerror}") from error
