"""Giving an image the colors of another, channel by channel."""

import numpy as np
from jaxtyping import Array, Float, Float32

Picture = Float[Array | np.ndarray, "height width channel"]


def match_histogram(
    image: Picture, source: Float[Array | np.ndarray, "source_height source_width channel"]
) -> Float32[np.ndarray, "height width channel"]:
    """The image with each channel's values replaced by those of the source of the same rank.

    Where the sizes differ the source's sorted values are interpolated. Equal values of the image
    are ranked row by row.
    """
    pixels = np.asarray(image, np.float32).reshape(-1, image.shape[-1])
    given = np.sort(np.asarray(source, np.float32).reshape(-1, source.shape[-1]), axis=0)
    positions = np.linspace(0.0, len(given) - 1.0, len(pixels))
    matched = np.empty_like(pixels)
    for channel in range(pixels.shape[1]):
        order = np.argsort(pixels[:, channel], kind="stable")
        matched[order, channel] = np.interp(positions, np.arange(len(given)), given[:, channel])
    return matched.reshape(image.shape)
