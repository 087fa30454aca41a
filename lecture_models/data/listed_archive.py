"""Reads data sets that are a list of files with what is known of each, and an archive of them."""

from pathlib import Path
from typing import NamedTuple

from lecture_models.data import archives
from lecture_models.data.csv_cells import Line, read_csv
from lecture_models.data.dataset import DataAbsentError, DataError, DataFile

SPLITS = ("train", "val", "test")


class ListedArchive(NamedTuple):
    """Holds the lines of a list and the files of an archive.

    Attributes:
        table: the path of the list.
        packed: the path of the archive.
        lines: the lines behind the header.
        members: the bytes of each file by its name.
        files: both files for the provenance.
    """

    table: Path
    packed: Path
    lines: list[Line]
    members: dict[str, bytes]
    files: tuple[DataFile, DataFile]

    def member(self, name: str) -> bytes:
        """Returns the bytes of a file; raises DataError if the archive does not hold it."""
        if name not in self.members:
            raise DataError(f"{self.packed} lacks {name}, which {self.table.name} names")
        return self.members[name]

    def where(self, line: Line) -> str:
        """Returns the list and the number of a line, for a message."""
        return f"{self.table}, line {line.number}"

    def by_split(self, things: str) -> dict[str, list[Line]]:
        """Returns the lines of each of the three splits, which their second cell names.

        Args:
            things: what a line lists, for a message, such as "photo".

        Raises:
            DataError: a split has another name, or none of these lines.
        """
        parts: dict[str, list[Line]] = {split: [] for split in SPLITS}
        for line in self.lines:
            split = line.cells[1]
            if split not in SPLITS:
                raise DataError(f"{self.where(line)}: {split!r} must be one of {SPLITS}")
            parts[split].append(line)
        for split, lines in parts.items():
            if not lines:
                raise DataError(f"{self.table} names no {things} of the split {split}")
        return parts


def open_listed(folder: Path, table: str, packed: str, header: tuple[str, ...]) -> ListedArchive:
    """Returns a list and its archive.

    Args:
        folder: the folder of both, below the data folder.
        table: the name of the list, a CSV file.
        packed: the name of the archive.
        header: the cells of the list's first line.

    Raises:
        DataAbsentError: the list does not exist.
        DataError: a file is damaged, or the list begins with another line.
    """
    path = folder / table
    if not path.is_file():
        raise DataAbsentError(f"{folder.name}/{table} does not exist in {folder.parent}")
    lines, table_file = read_csv(path)
    if not lines or lines[0].cells != header:
        raise DataError(f"{path} must begin with the line {','.join(header)}")
    content, packed_file = archives.read_unpacked(folder / packed)
    members = dict(archives.tar_files(content, folder / packed))
    return ListedArchive(path, folder / packed, lines[1:], members, (table_file, packed_file))
