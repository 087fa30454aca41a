"""Makes the domains of digits between which a classifier is adapted, as bytes of color images.

MNIST-M is built here by its published rule: the absolute difference of a digit and a patch of a
photo, channel by channel (Ganin et al., 2016, section 5.2.4). The photos are others than theirs,
so that the numbers of the paper do not compare exactly.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32, UInt8
from PIL import Image

from lecture_models.data.dataset import DataError, Dataset, Split
from lecture_models.data.lookup import Library
from lecture_models.data.pixels import uint8_from_images

SIDE = 28
Pictures = UInt8[np.ndarray, "example side side 3"]


class LabeledPictures(NamedTuple):
    """Holds color pictures as bytes, and their classes."""

    pictures: Pictures
    labels: Int32[np.ndarray, " example"]


class Domain(NamedTuple):
    """Holds the three splits of a domain, and the names of the classes."""

    train: LabeledPictures
    validation: LabeledPictures
    test: LabeledPictures
    classes: tuple[str, ...]


def plain_pictures(split: Split) -> LabeledPictures:
    """Returns gray or color images as color pictures of 28x28 pixels.

    Others are resized with bicubic interpolation.

    Raises:
        DataError: the images are not square.
    """
    _, height, width, _ = split.images.shape
    if height != width:
        raise DataError(f"images are {height}x{width}; domains of digits need square ones")
    pixels = uint8_from_images(split.images)
    if height != SIDE:
        size = (SIDE, SIDE)
        pixels = np.stack(
            [
                np.asarray(
                    Image.fromarray(
                        picture.squeeze(-1) if picture.shape[-1] == 1 else picture
                    ).resize(size, Image.Resampling.BICUBIC)
                ).reshape(*size, -1)
                for picture in pixels
            ]
        )
    if pixels.shape[-1] == 1:
        pixels = np.repeat(pixels, 3, axis=-1)
    return LabeledPictures(pixels, split.labels)


def blend(
    digits: Pictures, photos: UInt8[np.ndarray, "photo height width 3"], seed: int
) -> Pictures:
    """Returns |patch - digit| for each digit, with a patch of a photo drawn for each.

    Args:
        digits: digits in color.
        photos: photos of at least the digits' size.
        seed: from which photos and places are drawn.

    Returns:
        The blended digits.

    Raises:
        DataError: the photos are smaller than the digits.
    """
    count, side = digits.shape[:2]
    height, width = photos.shape[1:3]
    if min(height, width) < side:
        raise DataError(f"photos are {height}x{width}; they must be {side}x{side} or larger")
    draw = np.random.Generator(np.random.Philox(seed))
    chosen = draw.integers(len(photos), size=count)
    rows = draw.integers(height - side + 1, size=count)[:, None] + np.arange(side)[None]
    columns = draw.integers(width - side + 1, size=count)[:, None] + np.arange(side)[None]
    patches = photos[chosen[:, None, None], rows[:, :, None], columns[:, None, :]]
    return np.maximum(patches, digits) - np.minimum(patches, digits)


def _plain(names: str) -> Callable[[Library], Domain]:
    def read(library: Library) -> Domain:
        dataset: Dataset = library.load(names)
        splits = (dataset.train, dataset.validation, dataset.test)
        return Domain(*map(plain_pictures, splits), dataset.classes)

    return read


def _blended(digits: str, photos: str) -> Callable[[Library], Domain]:
    """Blends each split of digits with photos of the same split, which no other split has."""

    def read(library: Library) -> Domain:
        plain, behind = _plain(digits)(library), library.load(photos)
        splits = zip(plain[:3], (behind.train, behind.validation, behind.test), strict=True)
        blended = [
            LabeledPictures(
                blend(part.pictures, uint8_from_images(photo.images), seed), part.labels
            )
            for seed, (part, photo) in enumerate(splits)
        ]
        return Domain(*blended, plain.classes)

    return read


# Of several data sets the first available one is used.
DOMAINS: Mapping[str, Callable[[Library], Domain]] = {
    "mnist": _plain("mnist,digits"),
    "mnist_m": _blended("mnist,digits", "bsds_crops,sample_crops"),
    "usps": _plain("usps"),
    "digits": _plain("digits"),
    "digits_m": _blended("digits", "sample_crops"),
}


def read_domains(library: Library, source: str, target: str) -> tuple[Domain, Domain]:
    """Returns both domains.

    Args:
        library: reads the data sets.
        source: the name of the domain whose classes are known.
        target: the name of the other one.

    Returns:
        The domains, whose pictures are of one size.

    Raises:
        DataError: a data set is absent or damaged, or the domains have different classes.
    """
    first, second = (DOMAINS[name](library) for name in (source, target))
    if first.classes != second.classes:
        raise DataError(
            f"{source} has the classes {', '.join(first.classes)}, but {target} "
            f"{', '.join(second.classes)}; both domains must have the same"
        )
    return first, second
