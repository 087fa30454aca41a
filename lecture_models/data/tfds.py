"""Reads data sets that TensorFlow Datasets prepared, and downloads files through it.

TensorFlow itself is needed only for data that was prepared in the tfrecord format. As a program,
this module downloads files; `download.py` starts it, and kills it when it makes no progress.
"""

import hashlib
import importlib.util
import io
import os
import sys
import urllib.parse
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from lecture_models.data import archives
from lecture_models.data.dataset import DataAbsentError, DataError, DataFile

# The addresses for which TFDS knows the sizes and SHA-256s of the files.
URLS = {
    "mnist": "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "fashion_mnist": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
}


class PreparedDataset(NamedTuple):
    """Holds a prepared data set in the order of the original files.

    Attributes:
        images: by the name of a split, "train" or "test", its images.
        labels: by the name of a split, its labels.
        folder: the folder of the prepared data set.
        files: its files.
    """

    images: dict[str, UInt8[np.ndarray, "example height width channel"]]
    labels: dict[str, UInt8[np.ndarray, " example"]]
    folder: Path
    files: tuple[DataFile, ...]


def require_installed() -> None:
    """Raises DataAbsentError if tensorflow_datasets is not installed."""
    if importlib.util.find_spec("tensorflow_datasets") is None:
        raise DataAbsentError(
            "tensorflow_datasets is not installed (pip install tensorflow-datasets)"
        )


def prepared(name: str, data_dir: Path, feature: str = "label") -> PreparedDataset:
    """Returns a data set that TFDS prepared in `data_dir` or in its own default folder.

    Args:
        name: TFDS's name of the data set.
        data_dir: the data folder.
        feature: TFDS's name of the label.

    Raises:
        DataAbsentError: there is none that this machine can read.
        DataError: it is damaged.
    """
    folder = _prepared_folder(name, data_dir)
    require_installed()
    splits: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    try:
        for split in ("train", "test"):
            records = list(_records(folder, split))
            in_order = [records[index] for index in _original_order(split, len(records))]
            _check_ids(split, in_order)
            images = _decode([record["image"] for record in in_order])
            splits[split] = images, np.array([record[feature] for record in in_order], np.uint8)
    except (DataError, MemoryError):
        raise
    except Exception as error:  # Four libraries read here, each with its own exceptions.
        raise DataError(
            f"the prepared TFDS data set in {folder} cannot be read ({one_line(error)}); delete "
            "the folder and prepare it again"
        ) from error
    return PreparedDataset(
        {split: images for split, (images, _) in splits.items()},
        {split: labels for split, (_, labels) in splits.items()},
        folder,
        tuple(archives.read_file(path)[1] for path in sorted(folder.glob("*-of-*"))),
    )


def _prepared_folder(name: str, data_dir: Path) -> Path:
    default = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    # Unlike pathlib's, this function accepts a user without a home.
    default = os.path.expanduser(default)  # noqa: PTH111
    roots = (data_dir, Path(default))
    for root in roots:
        versions = sorted(path.parent for path in (root / name).glob("*/dataset_info.json"))
        if versions:
            return versions[-1]
    raise DataAbsentError(
        "a prepared TFDS data set does not exist in "
        f"{' or '.join(str(root / name) for root in roots)}"
    )


def _records(folder: Path, split: str) -> Iterable[dict[str, Any]]:
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(folder)
    decoders = {"image": tfds.decode.SkipDecoding()}  # Pillow decodes the images below.
    if builder.info.file_format.value == "array_record":
        source = builder.as_data_source(split, decoders=decoders)
        return source.__getitems__(list(range(len(source))))
    if importlib.util.find_spec("tensorflow") is None:
        raise DataAbsentError(
            f"{folder} has the format {builder.info.file_format.value}, which only TensorFlow "
            "reads: pip install tensorflow-cpu, or prepare it as array_record"
        )
    in_order = tfds.ReadConfig(interleave_cycle_length=1)
    return tfds.as_numpy(builder.as_dataset(split, decoders=decoders, read_config=in_order))


def _original_order(split: str, count: int) -> list[int]:
    """Returns the record of each example: its element k is the place of example k.

    TFDS sorts the examples by MD5(split name + key), and the key is the index in the original
    files of MNIST, CIFAR and SVHN. In TFDS's order the validation split would differ.
    """
    hashes = [hashlib.md5(f"{split}{key}".encode()).digest() for key in range(count)]
    stored = sorted(range(count), key=hashes.__getitem__)
    order = [0] * count
    for record, example in enumerate(stored):
        order[example] = record
    return order


def _check_ids(split: str, records: list[dict[str, Any]]) -> None:
    for index, record in enumerate(records):
        key = record.get("id", f"{split}_{index}".encode())  # MNIST's records have no keys.
        name, _, number = key.decode().rpartition("_")
        if name != split or int(number) != index:
            raise ValueError(f"a record is {key!r}; it must be number {index} of {split}")


def _decode(encoded: list[bytes]) -> UInt8[np.ndarray, "example height width channel"]:
    images = []
    for data in encoded:
        with Image.open(io.BytesIO(data)) as image:
            images.append(np.atleast_3d(np.asarray(image)))
    return np.stack(images)


def one_line(message: object) -> str:
    """Returns a library's message in one line of at most 300 characters."""
    return " ".join(str(message).split())[:300]


def fetch(name: str, temporary: Path, files: list[str]) -> None:
    """Downloads files into the folder `ready` of `temporary`, which is made when all are verified.

    Args:
        name: name of the data set, one of `URLS`.
        temporary: a folder of its own.
        files: names of the files.
    """
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()
    manager = tfds.download.DownloadManager(
        download_dir=temporary / "downloads", force_checksums_validation=True
    )
    urls = {file: urllib.parse.urljoin(URLS[name], file) for file in files}
    ready = temporary / "ready.part"
    ready.mkdir()
    for file, path in manager.download(urls).items():
        Path(path).replace(ready / file)
    ready.rename(temporary / "ready")


if __name__ == "__main__":
    fetch(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
