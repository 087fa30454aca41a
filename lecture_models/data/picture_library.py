"""Reads pictures by name: files, folders of files, and sample pictures."""

from pathlib import Path

from lecture_models.data import picture
from lecture_models.data.dataset import DataFile, Provenance
from lecture_models.data.picture import PictureFile, shown
from lecture_models.data.sample_pictures import credit_of, locate

_MOST_FILES = 100  # A run's record names so many pictures one by one.


class PictureLibrary:
    """Reads pictures by name, and records what it read."""

    def __init__(self):
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

        Raises:
            DataError: a picture does not exist or cannot be read.
        """
        paths = self.find(names) or picture.sample_files()
        pictures = [picture.read(path, side, square=True) for path in paths]
        files = tuple(DataFile(file.path, file.sha256) for file in pictures[:_MOST_FILES])
        if len(pictures) > _MOST_FILES:
            files = (DataFile(paths[0].parent, picture.digest(pictures)),)
        source = f"{len(pictures):,} picture{'s' * (len(pictures) > 1)}, central squares"
        note = "" if names else "the photos that scikit-learn ships: none were named"
        self._provenance.append(Provenance("pictures", source, files, note))
        return pictures

    def read(self, name: str, size: int | None = None, square: bool = False) -> PictureFile:
        """Returns one picture, in color.

        Args:
            name: a path, or the name of a sample picture ("china", "sample:china").
            size: length of the longer side, in pixels; None keeps the picture's size. The aspect
                ratio is kept.
            square: keeps only the central square, which is resized to `size` x `size`.

        Raises:
            DataError: the picture does not exist or cannot be read, or `size` does not suit it; see
                `sample_pictures.locate` and `picture.read_at`.
        """
        file = picture.read_at(locate(name), size, square)
        height, width, _ = file.pixels.shape
        read_at = "" if (width, height) == file.size else f", read at {width}x{height}"
        source = f"{shown(file.path.name)}, {file.size[0]}x{file.size[1]}{read_at}"
        credit = credit_of(file.path)
        files = (DataFile(file.path, file.sha256),)
        self._provenance.append(
            Provenance("picture", f"{source}; {credit}" if credit else source, files)
        )
        return file


def _files_of(name: str) -> list[Path]:
    path = Path(name).expanduser()
    return picture.find(path) if path.is_dir() else [locate(name)]
