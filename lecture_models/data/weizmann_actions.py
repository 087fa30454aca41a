"""Reads the short films of people who wave, jump and bend, of the Weizmann Institute.

Source: Blank, Gorelick, Shechtman, Irani and Basri, "Actions as space-time shapes", ICCV 2005; four
of its ten actions, cropped to 64x64 pixels. `weizmann-actions/clips.csv` names the clips, and
`clips.tar.gz` holds each as one JPEG sheet, its frames row by row, 16 in a row. There is no
published checksum.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from lecture_models.data.dataset import DataError, Dataset, Provenance
from lecture_models.data.labeled_films import LabeledFilm, film_dataset
from lecture_models.data.listed_archive import ListedArchive, open_listed
from lecture_models.data.packed_pictures import decode_picture

FOLDER = "weizmann-actions"
SIDE = 64
_ACROSS = 16  # Frames in a row of a sheet.
_HEADER = ("file", "action", "person", "frames")


class _Clip(NamedTuple):
    """Holds a line of the list of clips."""

    file: str
    action: str
    person: str
    frames: int


def read(data_dir: Path) -> Dataset:
    """Returns the clips; the last two people are for validation and test.

    A split has `frames`, a `Ragged` of uint8 gray images of 64x64 pixels, `labels`, and `people`,
    whose names are in the vocabularies.

    Raises:
        DataAbsentError: the list of clips does not exist.
        DataError: a file is damaged, or the list does not fit the archive.
    """
    listed = open_listed(data_dir / FOLDER, "clips.csv", "clips.tar.gz", _HEADER)
    clips = _parse(listed)
    films = [LabeledFilm(clip.action, clip.person, _unfold(clip, listed)) for clip in clips]
    provenance = Provenance(
        "weizmann_actions",
        "JPEG sheets of frames",
        listed.files,
        f"{len(clips)} clips of four of the ten actions, 64x64, lossy",
    )
    return film_dataset(films, provenance)


def _parse(listed: ListedArchive) -> list[_Clip]:
    clips = []
    for line in listed.lines:
        file, action, person, frames = line.cells
        if not frames.isdecimal() or int(frames) < 1:
            raise DataError(f"{listed.where(line)}: {frames!r} must be a number of frames")
        clips.append(_Clip(file, action, person, int(frames)))
    if not clips:
        raise DataError(f"{listed.table} names no clips")
    return clips


def _unfold(clip: _Clip, listed: ListedArchive) -> UInt8[np.ndarray, "frame 64 64"]:
    """Returns the gray frames of a sheet."""
    rows = -(-clip.frames // _ACROSS)
    shape = (rows * SIDE, _ACROSS * SIDE, 3)
    pixels = decode_picture(
        listed.member(clip.file), f"{listed.packed}: {clip.file}", shape, "JPEG"
    )
    gray = np.rint(pixels.mean(axis=2)).astype(np.uint8)
    frames = gray.reshape(rows, SIDE, _ACROSS, SIDE).swapaxes(1, 2).reshape(-1, SIDE, SIDE)
    return frames[: clip.frames]
