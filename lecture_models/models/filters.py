"""A layer's weights as pictures."""

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


def filter_pictures(
    weights: Float[Array | np.ndarray, "pixel unit"], image_shape: tuple[int, int, int]
) -> Float[Array, "unit height width channel"]:
    """The weights from all pixels to each unit, as an image in [-1, 1] with mid-gray for 0.

    Each unit's are divided by its largest in absolute value, so that a weak filter is as plain as
    a strong one; a unit without weights stays gray. As the kernel of a dense layer on images, or
    the transpose of a decoder's last.

    Raises ValueError where the pixels are not as many as the image shape has. Vincent et al.,
    "Stacked denoising autoencoders", 2010, Figs. 6 and 7.
    """
    if len(weights) != math.prod(image_shape):
        raise ValueError(
            f"weights are from {len(weights)} pixels; images of "
            f"{'x'.join(map(str, image_shape))} have {math.prod(image_shape)}"
        )
    largest = jnp.abs(weights).max(axis=0, keepdims=True)
    scaled = weights / jnp.where(largest > 0.0, largest, 1.0)
    return scaled.T.reshape(-1, *image_shape)
