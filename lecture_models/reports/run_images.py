"""Gathers the images of a run for its report: the last step large, some earlier ones small."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from lecture_models.plots import png
from lecture_models.reports.embedding import data_uri, gif_size, link, png_size
from lecture_models.runs.artifacts import SteppedFiles
from lecture_models.runs.recorded_run import RecordedRun

MOST_STEPS = 8  # Of each name.
MOST_BYTES = 5_500_000  # Of all images together; base64 adds a third.


class EmbeddedImage(NamedTuple):
    """Holds an image as a data URI, with the width and height at which it is shown.

    A small image is shown larger than its file; `enlarged` says so.
    """

    step: int
    source: str
    width: int
    height: int
    caption: str
    enlarged: bool = False


class Film(NamedTuple):
    """Describes the GIF of all steps of an image; `source` is "" if it is only linked."""

    file: str
    link: str
    source: str
    width: int
    height: int
    enlarged: bool = False


class ImageCard(NamedTuple):
    """Holds the images of one name; `shown` of `available` steps are on the page."""

    name: str
    available: int
    shown: int
    last: EmbeddedImage
    earlier: list[EmbeddedImage]
    film: Film | None


def image_cards(run: RecordedRun) -> list[ImageCard]:
    """Returns the images by name, each at up to eight steps, the last one always among them.

    Where the files are so large that the page would be too large, there are fewer steps. The film
    of all steps is embedded if there is room for it, and linked in any case.
    """
    chosen = {name: evenly(files, MOST_STEPS) for name, files in run.pictures.items()}
    for most in (5, 3, 2, 1):
        if _size(path for files in chosen.values() for _, path in files) <= MOST_BYTES:
            break
        chosen = {name: evenly(files, most) for name, files in run.pictures.items()}
    room = MOST_BYTES - _size(path for files in chosen.values() for _, path in files)
    cards = []
    for name, files in chosen.items():
        images = [image for step, path in files if (image := _image(step, path)) is not None]
        if not images:
            continue
        film = _film(run.folder / "images" / f"{name}.gif", run.folder, room)
        if film and film.source:
            room -= len(film.source) * 3 // 4
        *earlier, last = images
        last = last._replace(caption=_caption(run, dict(files)[last.step]))
        cards.append(ImageCard(name, len(run.pictures[name]), len(images), last, earlier, film))
    return cards


def evenly(files: SteppedFiles, most: int) -> SteppedFiles:
    """Returns at most `most` files, evenly spaced, the first and the last among them.

    If `most` is 1, it is the last one.
    """
    if len(files) <= most:
        return files
    if most == 1:
        return files[-1:]
    return [files[round(index * (len(files) - 1) / (most - 1))] for index in range(most)]


def _size(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def _image(step: int, path: Path) -> EmbeddedImage | None:
    content = path.read_bytes()
    size = png_size(content)
    if size is None:
        return None
    scale = png.shown_scale(*size, drawn=png.drawn_scale(_metadata(path)))
    source = data_uri("image/png", content)
    width, height = (side * scale for side in size)
    return EmbeddedImage(step, source, width, height, caption="", enlarged=scale > 1)


def _caption(run: RecordedRun, path: Path) -> str:
    recorded = run.captions.get(path.relative_to(run.folder).as_posix())
    if recorded is not None:
        return recorded
    return _metadata(path).get("Caption", "")  # Older runs have captions only in the files.


def _metadata(path: Path) -> dict[str, str]:
    """Returns the texts inside an image's file; {} for a damaged file."""
    try:
        return png.read_metadata(path)
    except (OSError, SyntaxError, ValueError):  # Pillow raises these.
        return {}


def _film(path: Path, run_folder: Path, room: int) -> Film | None:
    if not path.is_file() or path.stat().st_size == 0:
        return None
    film = Film(path.name, link(path, run_folder), "", 0, 0)
    content = path.read_bytes() if path.stat().st_size <= room else b""
    size = gif_size(content)
    if size is None:
        return film
    scale = png.shown_scale(*size)
    width, height = (side * scale for side in size)
    source = data_uri("image/gif", content)
    return film._replace(source=source, width=width, height=height, enlarged=scale > 1)
