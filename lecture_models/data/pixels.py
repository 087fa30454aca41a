"""Converts pixels between the bytes of a file and the floats in [-1, 1] that models take."""

import numpy as np
from jaxtyping import Float, Float32, UInt8

_CHUNK = 512  # Examples converted at once, so that both passes stay in the processor's cache.


def images_from_uint8(
    pixels: UInt8[np.ndarray, "example height width channel"],
) -> Float32[np.ndarray, "example height width channel"]:
    """Returns x / 127.5 - 1, which is exactly -1 for byte 0 and 1 for byte 255."""
    images = np.empty(pixels.shape, np.float32)
    for first in range(0, len(pixels), _CHUNK):
        chunk = images[first : first + _CHUNK]
        np.divide(pixels[first : first + _CHUNK], np.float32(127.5), out=chunk)
        chunk -= 1.0
    return images


def uint8_from_images(images: Float[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """Returns the nearest byte of each value; values outside of [-1, 1] are clipped."""
    return np.rint((np.clip(images, -1.0, 1.0) + 1.0) * 127.5).astype(np.uint8)
