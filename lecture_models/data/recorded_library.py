"""Stands for the data of a past run where only their shapes and the names of classes are needed."""

from typing import NamedTuple

import numpy as np

from lecture_models.data.dataset import Dataset, Provenance, Split


class RecordedLibrary(NamedTuple):
    """Returns a data set of blank images, so that a past run is built again without its data.

    Attributes:
        classes: the names of the classes.
        image_shape: height, width and channels of an image.
        num_images: number of images of each split.
    """

    classes: tuple[str, ...]
    image_shape: tuple[int, int, int]
    num_images: int

    def load(self, names: str) -> Dataset:
        """Returns the data set, whatever the names."""
        blank = np.broadcast_to(np.float32(0.0), (self.num_images, *self.image_shape))
        split = Split.labeled_images(blank, np.zeros(self.num_images, np.int32))
        return Dataset(split, split, split, self.classes, Provenance(names, "blank images", ()))
