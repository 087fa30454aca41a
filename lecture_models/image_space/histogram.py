"""Matches the histogram of an image to that of another, channel by channel."""

import numpy as np
from jaxtyping import Array, Float, Float32

Image = Float[Array | np.ndarray, "height width channel"]


def match_histogram(
    image: Image, source: Float[Array | np.ndarray, "source_height source_width channel"]
) -> Float32[np.ndarray, "height width channel"]:
    """Returns the image with each channel's values replaced by source values of the same rank.

    If the sizes differ, the sorted values of the source are interpolated linearly. Equal values of
    the image are ranked in the order of rows.

    Args:
        image: the image to change, (height, width, channel).
        source: the image whose values it gets, of any size, with the same number of channels.

    Returns:
        The changed image, of the shape of `image`.
    """
    pixels = np.asarray(image, np.float32).reshape(-1, image.shape[-1])
    source_pixels = np.asarray(source, np.float32).reshape(-1, source.shape[-1])
    sorted_values = np.sort(source_pixels, axis=0)
    count = len(sorted_values)
    positions = np.linspace(0.0, count - 1.0, len(pixels))
    matched = np.empty_like(pixels)
    for channel in range(pixels.shape[1]):
        order = np.argsort(pixels[:, channel], kind="stable")
        values = np.interp(positions, np.arange(count), sorted_values[:, channel])
        matched[order, channel] = values
    return matched.reshape(image.shape)
