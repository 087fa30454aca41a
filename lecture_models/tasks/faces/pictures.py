"""Reads faces with their people, from a data set or from the user's folders."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64
from PIL import Image

from lecture_models.data.dataset import DataError, Dataset
from lecture_models.data.lookup import Library
from lecture_models.data.pixels import images_from_uint8
from lecture_models.tasks.codes import collect_pictures

Gray = Float32[np.ndarray, "picture height width"]
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_MOST_FILES = 2_000


class Faces(NamedTuple):
    """Holds faces of one size with their people.

    Attributes:
        pixels: gray levels in [0, 1].
        people: the index of each face's person.
        names: the names of the people.
        numbers: the place of a face among those of its person, from 0.
    """

    pixels: Gray
    people: Int64[np.ndarray, " picture"]
    names: tuple[str, ...]
    numbers: Int64[np.ndarray, " picture"]

    @property
    def vectors(self) -> Float32[np.ndarray, "picture pixel"]:
        """Returns the pixels of each face as a row."""
        return self.pixels.reshape(len(self.pixels), -1)

    @property
    def shape(self) -> tuple[int, int]:
        """Returns height and width of a face."""
        return self.pixels.shape[1:]


def collect_faces(library: Library, images: tuple[str, ...], dataset: str, side: int) -> Faces:
    """Returns the faces that an analysis is about, in the order of people and pictures.

    Args:
        library: reads pictures and data sets.
        images: folders with a sub-folder for each person; () to use the data set.
        dataset: names of data sets; the first available one is used.
        side: side in pixels to which the central squares of the user's pictures are resized.

    Raises:
        DataError: a picture cannot be read or shows nothing, or there are not two people with two
            pictures each.
    """
    if images:
        pictures = collect_pictures(library, images, dataset, _MOST_FILES, side)
        pixels, people = gray(images_from_uint8(pictures.pixels)), pictures.labels
        names = pictures.classes
    else:
        loaded = library.load(dataset)
        pixels, people, names = (
            gray(everything(loaded, "images")),
            labels_of(loaded),
            loaded.classes,
        )
    counts = np.bincount(people, minlength=len(names))
    if len(names) < 2 or counts.min() < 2:
        fewest = int(counts.argmin())
        raise DataError(
            f"number of people: {len(names)}; fewest pictures: {counts[fewest]}, of "
            f"{names[fewest]}; faces are recognized among at least 2 people "
            "with at least 2 pictures each, a sub-folder a person"
        )
    constant = int((np.ptp(pixels, axis=(1, 2)) == 0.0).sum())
    if constant:
        raise DataError(f"{constant} pictures have only one gray level; remove them")
    order = np.argsort(people, kind="stable")
    people = people[order]
    numbers = np.arange(len(people)) - np.searchsorted(people, people)
    return Faces(pixels[order], people, names, numbers)


def everything(dataset: Dataset, name: str) -> np.ndarray:
    """Returns an array of all three splits of a data set, one after the other."""
    return np.concatenate([split[name] for split in dataset[:3]])


def labels_of(dataset: Dataset) -> Int64[np.ndarray, " example"]:
    """Returns the labels of all three splits."""
    return everything(dataset, "labels").astype(np.int64)


def gray(images: Float32[np.ndarray, "picture height width channel"]) -> Gray:
    """Returns the luma of images in [-1, 1] as gray levels in [0, 1]."""
    unit = (images + np.float32(1.0)) / np.float32(2.0)
    return unit[..., 0] if images.shape[-1] == 1 else unit @ LUMA


def shown(pixels: np.ndarray) -> Float32[np.ndarray, "picture height width 1"]:
    """Returns gray levels in [0, 1] as images in [-1, 1]; the inverse of `gray`."""
    return (2.0 * np.asarray(pixels, np.float32) - 1.0)[..., None]


def resized(picture: np.ndarray, height: int, width: int) -> Float32[np.ndarray, "height width"]:
    """Returns a gray picture at another size, by bicubic interpolation with antialiasing."""
    image = Image.fromarray(np.ascontiguousarray(picture, np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


def reduced(faces: Faces, height: int) -> Faces:
    """Returns the faces at a smaller height, at their aspect ratio."""
    width = round(height * faces.shape[1] / faces.shape[0])
    return faces._replace(pixels=np.stack([resized(face, height, width) for face in faces.pixels]))
