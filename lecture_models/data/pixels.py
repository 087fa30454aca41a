"""Pixels on the way from a file, where they are bytes, to the models, where they are in [-1, 1]."""

import numpy as np
from jaxtyping import Float32, UInt8

_CHUNK = 512  # Examples converted at a time, so that both passes stay in the processor's cache.


def images_from_uint8(
    pixels: UInt8[np.ndarray, "example height width channel"],
) -> Float32[np.ndarray, "example height width channel"]:
    """x / 127.5 - 1: bytes 0 and 255 become -1 and 1 exactly."""
    images = np.empty(pixels.shape, np.float32)
    for first in range(0, len(pixels), _CHUNK):
        chunk = images[first : first + _CHUNK]
        np.divide(pixels[first : first + _CHUNK], np.float32(127.5), out=chunk)
        chunk -= 1.0
    return images
