"""Writes files atomically, turns texts into paths, and names this project's cache folder."""

import functools
import json
import math
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_PARTIAL = ".partial"  # The end of the name of a file that is being written.


class PathError(Exception):
    """Tells the user, in one line, why a text cannot be used as the path of a file or folder."""


def local_path(name: str, text: str) -> Path:
    """Returns the path that a flag or an environment variable holds, with ~ expanded.

    Args:
        name: what holds the text, such as "--workdir", for the message.
        text: the text.

    Returns:
        The path, which may be relative and need not exist.

    Raises:
        PathError: the text is empty, a URL, or its ~ names a user without a home.
    """
    if not text.strip():
        raise PathError(f"{name} is empty; it must be a path on this machine")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", text):
        raise PathError(f"{name} is {text}, a URL; it must be a path on this machine")
    if "\0" in text:
        raise PathError(f"{name} holds a null character; it must be a path on this machine")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise PathError(
            f"{name} is {text}, but no home folder is known for its ~; write the whole path"
        ) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file so that it holds the old or the new content, even if the process is killed.

    The content is written to a temporary file in the same folder, which is then renamed.
    """
    descriptor, temporary = tempfile.mkstemp(_PARTIAL, f".{path.name}.", path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # noqa: PTH101 - mkstemp makes files that only the owner reads.
        os.replace(temporary, path)  # noqa: PTH105 - the descriptor's own path.
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def partial_files(paths: Iterable[Path]) -> list[Path]:
    """Returns the temporary files that killed calls of `write_bytes` left beside some files."""
    wanted = set(paths)
    form = re.compile(r"\.(.+)\.[a-z0-9_]{8}" + re.escape(_PARTIAL))
    return [
        path
        for folder in sorted({path.parent for path in wanted})
        for path in (sorted(folder.iterdir()) if folder.is_dir() else ())
        if (match := form.fullmatch(path.name)) and folder / match[1] in wanted and path.is_file()
    ]


def write_json(path: Path, content: Any) -> None:
    """Writes a value as indented JSON, atomically."""
    write_bytes(path, (json_text(content, indent=2) + "\n").encode("utf-8", "backslashreplace"))


def json_text(content: Any, indent: int | None = None) -> str:
    """Returns a value as JSON that every parser accepts.

    JSON has no numbers that are not finite, so NaN and the infinities become the texts "NaN",
    "Infinity" and "-Infinity"; `runs.json_values.as_number` turns them into numbers again.
    """
    try:
        return json.dumps(content, indent=indent, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_with_texts(content), indent=indent, ensure_ascii=False, allow_nan=False)


def _with_texts(value: Any) -> Any:
    """Returns a value of JSON with texts in place of numbers that are not finite."""
    if isinstance(value, dict):
        return {_with_texts(key): _with_texts(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_with_texts(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return json.dumps(float(value))
    return value


def cache_folder() -> Path:
    """Returns $XDG_CACHE_HOME/lecture_models, or ~/.cache/lecture_models.

    A user without a home that can be written to, as in a container with a user id of its own, gets
    a folder below the system's temporary folder, which nobody else can write to.
    """
    if root := os.environ.get("XDG_CACHE_HOME"):
        return local_path("$XDG_CACHE_HOME", root) / "lecture_models"
    try:
        root = Path.home() / ".cache"
    except RuntimeError:
        return _own_temporary_folder()
    nearest = next(folder for folder in (root, *root.parents) if folder.exists())
    return root / "lecture_models" if os.access(nearest, os.W_OK) else _own_temporary_folder()


@functools.cache
def _own_temporary_folder() -> Path:
    """Returns a folder of this user, the same in every process unless another user has taken it."""
    folder = Path(tempfile.gettempdir()) / f"lecture_models-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return folder  # No file can be written: the cache is not used.
    # The cache holds programs, so nobody else may have put any there.
    is_own = status.st_uid == os.getuid() and not status.st_mode & 0o022 and not folder.is_symlink()
    return folder if is_own else Path(tempfile.mkdtemp(prefix="lecture_models-"))
