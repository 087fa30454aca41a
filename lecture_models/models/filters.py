"""Converts the weights of a layer to images."""

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


def filter_pictures(
    weights: Float[Array | np.ndarray, "pixel unit"], image_shape: tuple[int, int, int]
) -> Float[Array, "unit height width channel"]:
    """Returns the weights between all pixels and each unit as an image; a weight of 0 is mid-gray.

    The weights of a unit are divided by the largest absolute value among them, so that weak filters
    are as visible as strong ones. A unit whose weights are all 0 is gray.

    Args:
        weights: one column per unit, such as the kernel of a dense layer on images, or the
            transposed kernel of a decoder's last layer.
        image_shape: (height, width, channel) of an image.

    Returns:
        One image in [-1, 1] per unit. Vincent et al., "Stacked denoising autoencoders", 2010,
        Figs. 6 and 7.

    Raises:
        ValueError: the number of weights per unit differs from the number of pixels in the shape.
    """
    if len(weights) != math.prod(image_shape):
        raise ValueError(
            f"each unit has {len(weights)} weights; images of {'x'.join(map(str, image_shape))} "
            f"have {math.prod(image_shape)} pixels, and both must be equal"
        )
    largest = jnp.abs(weights).max(axis=0, keepdims=True)
    scaled = weights / jnp.where(largest > 0.0, largest, 1.0)
    return scaled.T.reshape(-1, *image_shape)
