"""Gives an experiment its data by name: data sets, pictures, tables of points and texts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lecture_models.data.abc_tunes import read_tunes
from lecture_models.data.characters import read_text
from lecture_models.data.dataset import Dataset, Provenance
from lecture_models.data.dataset_library import DatasetLibrary
from lecture_models.data.film import Film
from lecture_models.data.folder import PictureOptions
from lecture_models.data.labeled_films import read_labeled_films
from lecture_models.data.labeled_sounds import read_labeled_sounds
from lecture_models.data.labeled_table import LabeledTable, read_labeled_table
from lecture_models.data.labeled_texts import read_text_table
from lecture_models.data.midi_files import OwnPiece, read_music, read_piece
from lecture_models.data.number_table import NumberTable, read_number_table
from lecture_models.data.picture import PictureFile
from lecture_models.data.picture_library import PictureLibrary
from lecture_models.data.sentence_pairs import read_own_pairs
from lecture_models.data.sentence_sounds import read_sentences


class Library:
    """Joins a `DatasetLibrary` and a `PictureLibrary`; every `build(config, library)` gets one."""

    def __init__(
        self,
        data_dir: Path | None,
        announce: Callable[[str], None],
        picture_options: PictureOptions | None = None,
    ):
        """Takes what `DatasetLibrary` takes; pictures are found by their own paths."""
        self._datasets = DatasetLibrary(data_dir, announce, picture_options)
        skip = picture_options is not None and picture_options.skip_bad_images
        self._pictures = PictureLibrary(announce, skip)
        self._tables: dict[tuple[Any, str], LabeledTable | NumberTable | Dataset] = {}

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """Lists the sources of all that was read, by kind, each once."""
        tables = tuple(table.provenance for table in self._tables.values())
        return self._datasets.provenance + self._pictures.provenance + tables

    def load(self, names: str) -> Dataset:
        """Returns the first available data set of comma-separated names; see `DatasetLibrary`."""
        return self._datasets.load(names)

    def find_pictures(self, names: tuple[str, ...]) -> list[Path]:
        """Returns the files of pictures without reading them; see `PictureLibrary.find`."""
        return self._pictures.find(names)

    def pictures(self, names: tuple[str, ...], side: int) -> list[PictureFile]:
        """Returns the central squares of pictures; see `PictureLibrary.read_squares`."""
        return self._pictures.read_squares(names, side)

    def picture(
        self, name: str, size: int | None = None, square: bool = False, flag: str = "--size"
    ) -> PictureFile:
        """Returns one picture at its aspect ratio; see `PictureLibrary.read`."""
        return self._pictures.read(name, size, square, flag)

    def film(self, name: str, size: int) -> Film | None:
        """Returns the frames of a film, None for a single picture; see `PictureLibrary`."""
        return self._pictures.read_film(name, size)

    def table(self, flag: str, name: str) -> LabeledTable:
        """Returns the points and classes of the CSV file that `flag` names, read once."""
        return self._read_once(read_labeled_table, flag, name)

    def numbers(self, flag: str, name: str) -> NumberTable:
        """Returns the numbers of the CSV file that `flag` names, read once."""
        return self._read_once(read_number_table, flag, name)

    def text(self, flag: str, name: str) -> Dataset:
        """Returns the characters of the text file that `flag` names, read once."""
        return self._read_once(read_text, flag, name)

    def labeled_texts(self, flag: str, name: str) -> Dataset:
        """Returns the texts and classes of the CSV file that `flag` names, read once."""
        return self._read_once(read_text_table, flag, name)

    def sentence_pairs(self, flag: str, names: str) -> Dataset:
        """Returns the sentences of the two files that `flag` names, read once."""
        return self._read_once(read_own_pairs, flag, names)

    def labeled_films(self, flag: str, name: str) -> Dataset:
        """Returns the films and actions of the folder that `flag` names, read once."""
        return self._read_once(read_labeled_films, flag, name)

    def labeled_sounds(self, flag: str, name: str) -> Dataset:
        """Returns the words and speakers of the sounds that `flag` names, read once."""
        return self._read_once(read_labeled_sounds, flag, name)

    def sentences(self, flag: str, name: str) -> Dataset:
        """Returns the sounds and words of the sentences that `flag` names, read once."""
        return self._read_once(read_sentences, flag, name)

    def music(self, flag: str, name: str) -> Dataset:
        """Returns the pieces of the folder or file that `flag` names, read once."""
        return self._read_once(read_music, flag, name)

    def tunes(self, flag: str, name: str) -> Dataset:
        """Returns the tunes of the file that `flag` names, read once."""
        return self._read_once(read_tunes, flag, name)

    def piece(self, flag: str, name: str) -> OwnPiece:
        """Returns the piece of the MIDI file that `flag` names, read once."""
        return self._read_once(read_piece, flag, name)

    def _read_once(self, read: Callable[[str, str], Any], flag: str, name: str) -> Any:
        if (read, name) not in self._tables:
            self._tables[read, name] = read(flag, name)
        return self._tables[read, name]
