"""Reads pictures by name: files, folders of files, and sample pictures."""

from collections.abc import Callable
from pathlib import Path

from lecture_models.data import picture
from lecture_models.data.dataset import DataError, DataFile, Provenance
from lecture_models.data.film import Film, is_film, read_film
from lecture_models.data.listing import count_of, first_of
from lecture_models.data.picture import MIN_SIDE, PictureFile, shown
from lecture_models.data.sample_pictures import credit_of, locate
from lecture_models.files import local_path

_STRIP = 5  # Ratio of the sides above which a picture is called a strip.
_SKIPPING = "--skip_bad_images skips such files"
_MOST_FILES = 100  # A run's record names so many pictures one by one.


class PictureLibrary:
    """Reads pictures by name, and records what it read."""

    def __init__(
        self, announce: Callable[[str], None] = lambda line: None, skip_bad_images: bool = False
    ):
        """Takes what to do with remarks and with files that cannot be read.

        Args:
            announce: is called with one line for each file that is skipped, and about pictures of
                which the network sees little.
            skip_bad_images: skips files that cannot be read where several pictures are read; False
                refuses them.
        """
        self._announce = announce
        self._skip_bad_images = skip_bad_images
        self._provenance: list[Provenance] = []

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """Lists the sources of the pictures, in the order of reading, each once."""
        return tuple(dict.fromkeys(self._provenance))

    def find(self, names: tuple[str, ...]) -> list[Path]:
        """Returns the files of `names`, without reading them.

        A wrong name is so refused before a network is loaded or trained.

        Raises:
            DataError: a file or sample does not exist.
        """
        return [path for name in names for path in _files_of(name)]

    def read_squares(self, names: tuple[str, ...], side: int) -> list[PictureFile]:
        """Returns the central squares of pictures.

        Args:
            names: files, folders of files and sample pictures; () for the two photos that
                scikit-learn ships.
            side: height and width to which the squares are resized, in pixels.

        Returns:
            The pictures in the order of their names, without those that are skipped.

        Raises:
            DataError: a picture does not exist or cannot be read, and is not to be skipped; or none
                can be read.
        """
        paths = self.find(names) or picture.sample_files()
        pictures, skipped = self._read_each(paths, side)
        files = tuple(DataFile(file.path, file.sha256) for file in pictures[:_MOST_FILES])
        if len(pictures) > _MOST_FILES:
            files = (DataFile(paths[0].parent, picture.digest(pictures)),)
        source = f"{count_of(len(pictures), 'picture')}, central squares"
        notes = [] if names else ["the photos that scikit-learn ships: none were named"]
        if skipped:
            notes.append(f"skipped as unreadable: {_listed(skipped)}")
        for remark in _remarks(pictures):
            self._announce(remark)
            notes.append(remark)
        note = "; ".join(notes)
        self._provenance.append(Provenance("pictures", source, files, note))
        return pictures

    def _read_each(self, paths: list[Path], side: int) -> tuple[list[PictureFile], list[Path]]:
        """Returns the central squares of the pictures, and the files that are skipped."""
        pictures, skipped = [], []
        for path in paths:
            try:
                pictures.append(picture.read(path, side, square=True))
            except DataError as error:
                if not self._skip_bad_images:
                    more = f"; {_SKIPPING}" if len(paths) > 1 else ""
                    raise DataError(f"{error}{more}") from error
                self._announce(f"skipped: {error}")
                skipped.append(path)
        if not pictures:
            raise DataError(f"none of {len(paths):,} pictures can be read: {_listed(skipped)}")
        return pictures, skipped

    def read(
        self, name: str, size: int | None = None, square: bool = False, flag: str = "--size"
    ) -> PictureFile:
        """Returns one picture, in color.

        Args:
            name: a path, or the name of a sample picture ("china", "sample:china").
            size: length of the longer side, in pixels; None keeps the picture's size. The aspect
                ratio is kept.
            square: keeps only the central square, which is resized to `size` x `size`.
            flag: the flag that the user gave `size` by, for error messages.

        Raises:
            DataError: the picture does not exist or cannot be read, or `size` does not suit it; see
                `sample_pictures.locate` and `picture.read_at`.
        """
        file = picture.read_at(locate(name), size, square, flag)
        height, width, _ = file.pixels.shape
        read_at = "" if (width, height) == file.size else f", read at {width}x{height}"
        source = f"{shown(file.path.name)}, {file.size[0]}x{file.size[1]}{read_at}"
        credit = credit_of(file.path)
        files = (DataFile(file.path, file.sha256),)
        self._provenance.append(
            Provenance("picture", f"{source}; {credit}" if credit else source, files)
        )
        return file

    def read_film(self, name: str, size: int) -> Film | None:
        """Returns the frames of a film; None if the name is that of a single picture or a sample.

        Args:
            name: a folder of pictures, an animated picture, or a video file.
            size: length of the longer side of the frames, in pixels.

        Raises:
            DataError: the film cannot be read, or `size` does not suit it.
        """
        path = local_path("the picture", name)
        if not is_film(path):
            return None
        film = read_film(path, size)
        height, width, _ = film.frames[0].shape
        files = film.files[:_MOST_FILES]
        if len(film.files) > _MOST_FILES:
            files = (DataFile(path, film.digest),)
        source = f"{shown(path.name)}, {len(film.frames):,} frames, read at {width}x{height}"
        self._provenance.append(Provenance("film", source, files, film.note))
        return film


def _listed(paths: list[Path]) -> str:
    """Returns the names of the first files, and the number of the others."""
    return first_of([shown(path.name) for path in paths])


def _remarks(pictures: list[PictureFile]) -> list[str]:
    """Returns a line about pictures that are tiny, and one about strips."""
    tiny = [file.path for file in pictures if min(file.size) < MIN_SIDE]
    strips = [file.path for file in pictures if max(file.size) > _STRIP * min(file.size)]
    remarks = []
    if tiny:
        remarks.append(f"enlarged from fewer than {MIN_SIDE} pixels of a side: {_listed(tiny)}")
    if strips:
        remarks.append(
            f"more than {_STRIP} times as long as wide, of which only the central square is seen: "
            f"{_listed(strips)}"
        )
    return remarks


def _files_of(name: str) -> list[Path]:
    path = local_path("the picture", name)
    return picture.find(path) if path.is_dir() else [locate(name)]
