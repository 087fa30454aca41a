"""Reads the frames of a film: a folder of pictures, an animated picture, or a video file."""

import collections
import hashlib
import io
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageSequence

from lecture_models.data import picture
from lecture_models.data.archives import read_file
from lecture_models.data.dataset import DataError, DataFile
from lecture_models.data.listing import count_of, first_of
from lecture_models.data.picture import shown

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")
_ANIMATED = ("GIF", "WEBP", "PNG")  # Other formats keep thumbnails or pages in further frames.
_SHORTEST_S = 0.02  # As in browsers: a frame of an animation without a duration.
_DEFAULT_S = 0.1

Frame = UInt8[np.ndarray, "height width 3"]


class Film(NamedTuple):
    """Holds the frames of a film.

    Attributes:
        frames: the frames in order, all of one size; 0 is black, 255 is white.
        names: the name of each frame, without a file's ending; no two are equal.
        seconds_per_frame: how long a frame is shown, on average; None if the film does not say.
        files: the files that were read.
        note: what of the folder was ignored; "" for nothing.
    """

    frames: list[Frame]
    names: tuple[str, ...]
    seconds_per_frame: float | None
    files: tuple[DataFile, ...]
    note: str = ""

    @property
    def digest(self) -> str:
        """Returns one SHA-256 for all files in their order."""
        return hashlib.sha256("\n".join(file.sha256 for file in self.files).encode()).hexdigest()


def is_film(path: Path) -> bool:
    """Tells whether a path is a folder, a video file or a picture of several frames."""
    if path.is_dir() or path.suffix.lower() in VIDEO_SUFFIXES:
        return True
    try:
        with Image.open(path, formats=_ANIMATED) as image:
            return getattr(image, "n_frames", 1) > 1
    except (OSError, ValueError, SyntaxError):  # Not such a picture, or damaged.
        return False


def read_film(path: Path, size: int) -> Film:
    """Reads a film, with the longer side of its frames resized to `size` pixels.

    Raises:
        DataError: the film cannot be read, has no frames, or its frames have several sizes.
    """
    if path.is_dir():
        film = _read_folder(path, size)
    elif path.suffix.lower() in VIDEO_SUFFIXES:
        film = _read_video(path, size)
    else:
        film = _read_animation(path, size)
    for name, frame in zip(film.names, film.frames, strict=True):
        if frame.shape != film.frames[0].shape:
            sizes = [f"{image.shape[1]}x{image.shape[0]}" for image in (frame, film.frames[0])]
            raise DataError(
                f"the frame {name} of {shown(path)} has {sizes[0]} pixels at --size={size}; it "
                f"must have {sizes[1]}, as the first one has"
            )
    return film


def natural_order(name: str) -> list[Any]:
    """Returns a key by which numbers in names are sorted by their value: 1, 2, 10."""
    parts = re.split(r"(\d+)", name.casefold())
    return [[int(part) if part.isdecimal() else part for part in parts], name]


def _read_folder(folder: Path, size: int) -> Film:
    known = picture.extensions()
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    paths = [entry for entry in entries if entry.is_file() and entry.suffix.lower() in known]
    paths.sort(key=lambda path: natural_order(path.name))
    if not paths:
        raise DataError(f"{shown(folder)} holds no pictures; they must lie directly in it")
    pictures = [picture.read_at(path, size) for path in paths]
    return Film(
        [file.pixels for file in pictures],
        _frame_names(paths),
        None,
        tuple(DataFile(file.path, file.sha256) for file in pictures),
        _ignored(entries, paths),
    )


def _frame_names(paths: list[Path]) -> tuple[str, ...]:
    """Returns a name for each file, without its ending where that tells the files apart."""
    stems = collections.Counter(path.stem for path in paths)
    names = [path.stem if stems[path.stem] == 1 else path.name.replace(".", "_") for path in paths]
    if len({*names}) == len(names):
        return tuple(names)
    return tuple(f"{number:05}_{name}" for number, name in enumerate(names, 1))


def _ignored(entries: list[Path], used: list[Path]) -> str:
    """Says which entries of a folder are not frames."""
    folders = sorted(entry.name for entry in entries if entry.is_dir())
    others = sorted({entry.name for entry in entries} - {path.name for path in used} - {*folders})
    said = []
    for kind, names in (("sub-folder", folders), ("other file", others)):
        if names:
            listed = first_of([shown(name) for name in names], most=3)
            said.append(f"{count_of(len(names), kind)} ignored ({listed})")
    return "; ".join(said)


def _read_animation(path: Path, size: int) -> Film:
    content, record = read_file(path)
    frames, seconds = [], []
    with picture.readable(path):
        width_height = Image.open(io.BytesIO(content), formats=_ANIMATED).size
    picture.check_size(path, width_height, size)
    with picture.readable(path), Image.open(io.BytesIO(content), formats=_ANIMATED) as image:
        for frame in ImageSequence.Iterator(image):
            frames.append(picture.frame_pixels(frame.convert("RGBA"), size))
            # Some formats tell the duration once the frame is decoded.
            shown_s = float(frame.info.get("duration", 0.0)) / 1000.0
            seconds.append(shown_s if shown_s >= _SHORTEST_S else _DEFAULT_S)
    return Film(frames, _numbered(path, len(frames)), float(np.mean(seconds)), (record,))


def _read_video(path: Path, size: int) -> Film:
    if not path.exists():
        raise DataError(f"there is no video {shown(path)}")
    _, record = read_file(path)
    video = video_library(f"{shown(path)} is a video")
    with picture.readable(path), video.get_reader(path, format="FFMPEG") as reader:
        about = reader.get_meta_data()
    picture.check_size(path, about["size"], size)
    with picture.readable(path), video.get_reader(path, format="FFMPEG") as reader:
        frames = [picture.frame_pixels(Image.fromarray(frame), size) for frame in reader]
    if not frames:
        raise DataError(f"{shown(path)} has no frames")
    return Film(frames, _numbered(path, len(frames)), 1.0 / float(about["fps"]), (record,))


def _numbered(path: Path, count: int) -> tuple[str, ...]:
    """Returns the names of a file's frames: its own name and their numbers, from 1."""
    digits = len(str(count))
    return tuple(f"{path.stem}_{number:0{digits}d}" for number in range(1, count + 1))


def video_library(need: str) -> Any:
    """Returns the module that reads and writes videos.

    Args:
        need: what needs it, the beginning of the error message.

    Raises:
        DataError: a package is missing.
    """
    try:
        import imageio.v2 as video  # Imported when used: most runs have no video.
        import imageio_ffmpeg  # noqa: F401
    except ImportError as error:
        raise DataError(
            f"{need}, which needs the package {error.name}: pip install 'lecture-models[video]'; "
            "or use a GIF or a folder of frames"
        ) from error
    return video
