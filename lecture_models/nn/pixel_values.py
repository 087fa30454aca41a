"""Pixels from the range between dataset and writer to the one that formulas are printed for."""

import numpy as np
from jaxtyping import Array, Float


def flatten_to_unit_range(
    images: Float[Array | np.ndarray, "image height width channel"],
) -> Float[Array | np.ndarray, "image pixel"]:
    """Pixels from [-1, 1] to [0, 1], one row an image."""
    return (images.reshape(len(images), -1) + 1.0) / 2.0
