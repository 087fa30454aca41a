"""Writes the picture or film that a run has made to the file of `--output`."""

import contextlib
import io
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from lecture_models import files
from lecture_models.commands.invocation import announce
from lecture_models.config import UsageError
from lecture_models.data.film import video_library
from lecture_models.experiment import Result
from lecture_models.plots.gif import encode_gif, with_palette
from lecture_models.runs.provenance import SOFTWARE
from lecture_models.runs.recorded_run import read_run

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
FILM_SUFFIXES = (".gif", ".mp4")
MARK = SOFTWARE  # In every file that is written here, so that only such files are ever replaced.
_SOFTWARE_TAG, _DESCRIPTION_TAG = 305, 270  # Of TIFF.


def check_file(path: Path) -> None:
    """Checks before anything is read or trained that a file can be written.

    Raises:
        UsageError: its ending is not one of those that are written, its folder does not exist or
            cannot be written to, or it exists and was not written by a run.
        DataError: it is a video, and the package that writes videos is missing.
    """
    if path.is_dir():
        raise UsageError(f"--output is {path}, a folder; it must be a file")
    suffixes = (*PICTURE_SUFFIXES, *FILM_SUFFIXES)
    if path.suffix.lower() not in suffixes:
        raise UsageError(f"--output is {path}; it must end in one of {', '.join(suffixes)}")
    if not path.parent.is_dir():
        raise UsageError(f"--output is {path}; the folder {path.parent} does not exist")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
        is_foreign = path.exists() and MARK.encode() not in path.read_bytes()
    except OSError as error:
        raise UsageError(f"--output is {path}; it cannot be written: {error.strerror}") from error
    if is_foreign:
        raise UsageError(
            f"--output is {path}, which exists and is not the result of a run; name another file"
        )
    if path.suffix.lower() == ".mp4":
        video_library(f"--output={path} is a video")
    if path.exists():
        announce(f"{path}, the result of an earlier run, will be replaced")


def check_result(path: Path, experiment: str, result: Result | None) -> None:
    """Raises UsageError unless an experiment makes what a file can hold."""
    if result is None:
        raise UsageError(f"--output is given, but {experiment} does not make a picture")
    is_film = result.seconds_per_frame is not None
    allowed = FILM_SUFFIXES if is_film else PICTURE_SUFFIXES
    if path.suffix.lower() not in allowed:
        kind = "a film" if is_film else "a picture"
        raise UsageError(
            f"--output is {path}; this run makes {kind}, so it must end in one of "
            f"{', '.join(allowed)}"
        )


def deliver(path: Path, run_folder: Path, result: Result) -> int:
    """Writes the result of a finished run, and says so; returns the exit code.

    The file holds its old or its new content, even if the process is killed.
    """
    run = read_run(run_folder)
    images = [file for _, file in run.pictures.get(result.name, [])]
    if not images:
        announce(f"error: {run_folder} holds no image {result.name!r}, so {path} is not written")
        return 1
    command = str(run.record.get("command", ""))
    try:
        if result.seconds_per_frame is None:
            _write_picture(path, images[-1], command)
        else:
            _write_film(path, images, result.seconds_per_frame)
    except OSError as error:
        announce(f"error: {path} cannot be written: {error}; the result is {images[-1]}")
        return 1
    announce(f"wrote {path}")
    return 0


def _write_picture(path: Path, image: Path, command: str) -> None:
    if path.suffix.lower() == ".png":  # As it is, with the texts that say how it was made.
        files.write_bytes(path, image.read_bytes())
        return
    encoded = io.BytesIO()
    with Image.open(image) as picture:
        if path.suffix.lower() in (".tif", ".tiff"):
            tags = {_SOFTWARE_TAG: MARK, _DESCRIPTION_TAG: command}
            picture.save(encoded, format="TIFF", compression="tiff_lzw", tiffinfo=tags)
        else:
            comment = f"{MARK}: {command}".encode()
            opaque = _over_white(picture)
            opaque.save(encoded, format="JPEG", quality=95, subsampling=0, comment=comment)
    files.write_bytes(path, encoded.getvalue())


def _over_white(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")


def _write_film(path: Path, images: list[Path], seconds_per_frame: float) -> None:
    if path.suffix.lower() == ".gif":
        frames = [with_palette(frame) for frame in _frames(images)]
        milliseconds = [round(1000 * seconds_per_frame)] * len(frames)
        files.write_bytes(path, encode_gif(frames, milliseconds, MARK))
        return
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        made = Path(folder) / path.name
        _write_video(made, images, 1.0 / seconds_per_frame)
        files.write_bytes(path, made.read_bytes())


def _write_video(path: Path, images: list[Path], frames_per_second: float) -> None:
    """Writes H.264, which every player knows; it needs sides of even length."""
    video = video_library(f"--output={path.name} is a video")
    settings = {"codec": "libx264", "pixelformat": "yuv420p", "macro_block_size": 1, "quality": 9}
    about = ["-metadata", f"comment={MARK}", "-movflags", "+faststart"]
    odd = False
    with (
        warnings.catch_warnings(),
        video.get_writer(
            path, format="FFMPEG", fps=frames_per_second, output_params=about, **settings
        ) as writer,
    ):
        # jax warns of every new process; this one runs another program at once.
        warnings.filterwarnings("ignore", "os.fork", RuntimeWarning)
        for frame in _frames(images):
            pixels = np.asarray(frame.convert("RGB"))
            even = [(0, side % 2) for side in pixels.shape[:2]]
            odd = odd or any(after for _, after in even)
            writer.append_data(np.pad(pixels, (*even, (0, 0)), mode="edge"))
    if odd:
        announce("a video has even sides: the last row or column is repeated")


def _frames(images: list[Path]) -> Iterator[Image.Image]:
    for path in images:
        with contextlib.closing(Image.open(path)) as image:
            image.load()
            yield image
