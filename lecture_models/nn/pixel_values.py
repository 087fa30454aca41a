"""Converts pixels from [-1, 1], the range of images in this project, to [0, 1]."""

import numpy as np
from jaxtyping import Array, Float


def flatten_to_unit_range(
    images: Float[Array | np.ndarray, "image height width channel"],
) -> Float[Array | np.ndarray, "image pixel"]:
    """Returns the pixels of each image as a row of values in [0, 1].

    Args:
        images: images in [-1, 1].

    Returns:
        One row per image, its pixels row by row with channels last.
    """
    return (images.reshape(len(images), -1) + 1.0) / 2.0
