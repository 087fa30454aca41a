"""Reads two domains of pictures at one size, from a data set or from folders of the user's own."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32, UInt8
from PIL import Image

from lecture_models.data.dataset import DataError, Dataset, Split
from lecture_models.data.listing import count_of
from lecture_models.data.lookup import Library

Pictures = UInt8[np.ndarray, "picture side side 3"]
FEWEST = 4  # Pictures of a folder: one of ten is for testing, and one at least.


class Domain(NamedTuple):
    """Holds the pictures of one domain.

    Attributes:
        name: the domain's name in the plural, such as "photos".
        train: pictures to learn from.
        test: pictures that are looked at once, at the end.
        digits: the digits of both, where they are known, else None.
    """

    name: str
    train: Pictures
    test: Pictures
    digits: tuple[Int32[np.ndarray, " train"], Int32[np.ndarray, " test"]] | None = None


class Domains(NamedTuple):
    """Holds two domains.

    Attributes:
        a: the first domain.
        b: the second one.
        is_paired: whether test picture k of one is what test picture k of the other should become.
    """

    a: Domain
    b: Domain
    is_paired: bool


def read_domains(library: Library, dataset: str, folders: tuple[str, str], side: int) -> Domains:
    """Returns the domains of a data set, or those of two folders.

    Args:
        library: reads both.
        dataset: names of data sets that have `pixels`; the first available one is used.
        folders: the folders of both domains; ("", "") for the data set.
        side: height and width to which pictures are resized; digits keep their own.

    Returns:
        The domains, whose pictures are of one size.

    Raises:
        DataError: only one folder is given, both are the same, one has too few pictures, or the
            data set does not have two domains.
    """
    if any(folders):
        return _from_folders(library, folders, side)
    found = library.load(dataset)
    if "pixels" not in found.train.arrays or len(found.classes) != 2:
        raise DataError(
            f"--dataset={found.provenance.dataset} does not have two domains of pictures; name "
            "monet2photo or digits_colored, or give --domain_a and --domain_b"
        )
    is_paired = "digits" in found.train.arrays
    return Domains(*(_of_dataset(found, label, side) for label in (0, 1)), is_paired)


def _of_dataset(dataset: Dataset, label: int, side: int) -> Domain:
    train, test = (split.select(split.labels == label) for split in (dataset.train, dataset.test))
    name = dataset.classes[label]
    if "digits" in train.arrays:
        return Domain(name, train["pixels"], test["pixels"], (train["digits"], test["digits"]))
    return Domain(name, *(_resized(part, side) for part in (train, test)))


def _resized(split: Split, side: int) -> Pictures:
    pixels = split["pixels"]
    if pixels.shape[1:3] == (side, side):
        return pixels
    size = (side, side)
    return np.stack(
        [
            np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))
            for picture in pixels
        ]
    )


def _from_folders(library: Library, folders: tuple[str, str], side: int) -> Domains:
    if not all(folders):
        given = "--domain_a" if folders[0] else "--domain_b"
        missing = "--domain_b" if folders[0] else "--domain_a"
        raise DataError(f"{given} is given and {missing} is not; give both, or neither")
    if Path(folders[0]).resolve() == Path(folders[1]).resolve():
        raise DataError(f"--domain_a and --domain_b are both {folders[0]}; they must differ")
    domains = []
    for flag, folder in zip(("--domain_a", "--domain_b"), folders, strict=True):
        pictures = [file.pixels for file in library.pictures((folder,), side)]
        if len(pictures) < FEWEST:
            raise DataError(
                f"{flag} is {folder}, which has {count_of(len(pictures), 'picture')}; it must have "
                f"at least {FEWEST}"
            )
        pixels = np.stack(pictures)
        held = np.arange(len(pixels)) % 10 == 9 if len(pixels) >= 10 else None
        held = np.arange(len(pixels)) == len(pixels) - 1 if held is None else held
        name = folder.rstrip("/").rpartition("/")[2]
        domains.append(Domain(name, pixels[~held], pixels[held]))
    return Domains(*domains, is_paired=False)
