"""Reads USPS: 7,291 + 2,007 handwritten gray digits of 16x16 from envelopes.

Source: J. Hull, "A database for handwritten text recognition research", IEEE TPAMI 16, 1994. The
file `usps/usps.h5` is HDF5, as in github.com/niuers/Learning-From-Data-A-Short-Course: the groups
`train` and `test` hold `data`, float32 (N, 256) in [0, 1], row by row, and `target`, int32 (N,).
The SHA-256 of each group's arrays is checked, so a file that was packed again is accepted.
"""

import hashlib
from pathlib import Path

import numpy as np

from lecture_models.data import archives
from lecture_models.data.dataset import (
    DataAbsentError,
    DataError,
    Dataset,
    Provenance,
    Split,
    hold_out_last,
)

_NUM_VALIDATION = 1_000
_COUNTS = {"train": 7_291, "test": 2_007}
# SHA-256 of each group's data, followed by its target.
_DIGESTS = {
    "train": "ba8c0eefab36c78a3c3f7d7cb6e90b429bdd9e4065a6c95eac505a30d802944d",
    "test": "d3d7fdb36ccadc59d2e9510c9af3215194b28976f5aa354045001e39b8672d52",
}


def read(data_dir: Path) -> Dataset:
    """Returns the data set, with the last 1,000 training images as the validation split.

    Raises:
        DataAbsentError: the file does not exist, or h5py is not installed.
        DataError: the file is damaged.
    """
    path = data_dir / "usps" / "usps.h5"
    if not path.is_file():
        raise DataAbsentError(f"usps/usps.h5 does not exist in {data_dir}")
    try:
        import h5py
    except ImportError as error:
        raise DataAbsentError(f"{path} needs h5py (pip install h5py)") from error
    _, record = archives.read_file(path)
    try:
        with h5py.File(path, "r") as file:
            groups = {name: (file[name]["data"][()], file[name]["target"][()]) for name in _COUNTS}
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path} is damaged or not the HDF5 file of USPS ({' '.join(str(error).split())}); "
            "delete it and fetch it again"
        ) from error
    for name, arrays in groups.items():
        _check_shapes(path, name, *arrays)
    splits = {name: _split(path, name, *arrays) for name, arrays in groups.items()}
    train, validation = hold_out_last(splits["train"], _NUM_VALIDATION)
    return Dataset(
        train,
        validation,
        splits["test"],
        tuple("0123456789"),
        Provenance("usps", "original files", (record,)),
    )


def _check_shapes(path: Path, name: str, data: np.ndarray, target: np.ndarray) -> None:
    count = _COUNTS[name]
    if np.shape(data) != (count, 256) or np.shape(target) != (count,):
        raise DataError(
            f"{path}: group {name} has data {np.shape(data)} and target {np.shape(target)}; they "
            f"must be {(count, 256)} and {(count,)}; delete it and fetch it again"
        )


def _split(path: Path, name: str, data: np.ndarray, target: np.ndarray) -> Split:
    digest = hashlib.sha256(data.astype("<f4").tobytes() + target.astype("<i4").tobytes())
    if digest.hexdigest() != _DIGESTS[name]:
        raise DataError(
            f"{path}: group {name} has SHA-256 {digest.hexdigest()}; it must be {_DIGESTS[name]}; "
            "delete it and fetch it again"
        )
    images = data.astype(np.float32).reshape(-1, 16, 16, 1) * 2.0 - 1.0
    return Split.labeled_images(images, target.astype(np.int32))
