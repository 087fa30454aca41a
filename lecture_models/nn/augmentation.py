"""Draws random crops and mirror images for each example, and standardizes channels."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Key

Images = Float[Array, "batch height width channel"]


class ChannelMoments(NamedTuple):
    """Holds the statistics of each channel over all images and pixels.

    Attributes:
        mean: the mean of each channel, in the units of the pixels.
        deviation: the standard deviation of each channel, above 0.
    """

    mean: Float32[np.ndarray, " channel"]
    deviation: Float32[np.ndarray, " channel"]


def channel_moments(images: Float[np.ndarray, "image height width channel"]) -> ChannelMoments:
    """Returns the mean and the standard deviation of each channel.

    Args:
        images: the images of a training split.

    Returns:
        The statistics over all images and pixels, computed in float64. A constant channel has the
        standard deviation 1, so that it can be divided by.
    """
    mean = images.mean((0, 1, 2), dtype=np.float64)
    deviation = images.std((0, 1, 2), dtype=np.float64)
    deviation = np.where(deviation > 0.0, deviation, 1.0)
    return ChannelMoments(mean.astype(np.float32), deviation.astype(np.float32))


def standardize(images: Images, moments: ChannelMoments) -> Images:
    """Returns the images with mean 0 and standard deviation 1 in each channel.

    (images - mean) / deviation

    Args:
        images: the images to standardize, in the units of `moments`.
        moments: the statistics of the training split.

    Returns:
        Standardized images; the moments are exactly 0 and 1 on the training split alone.
    """
    mean, deviation = (jnp.reshape(moment, (1, 1, 1, -1)) for moment in moments)
    return (images - mean) / deviation


def random_crop(
    key: Key[Array, ""], images: Images, padding: int, fill: Float32[np.ndarray, " channel"]
) -> Images:
    """Returns each image shifted by up to `padding` pixels in both directions.

    Each image gets a border of `padding` pixels on every side; a crop of the image's own size is
    then drawn from all (2 padding + 1)^2 positions with equal probability.

    Args:
        key: a random key.
        images: the images to crop.
        padding: the largest shift in pixels, at least 0.
        fill: the border's value in each channel. If it is the mean of the training split, the
            border is 0 once images are standardized.

    Returns:
        Images of the same shape. He et al., "Deep residual learning for image recognition", 2015,
        section 4.2, with padding 4.

    Raises:
        ValueError: `padding` is negative.
    """
    if padding < 0:
        raise ValueError(f"padding is {padding}; it must be at least 0")
    batch, height, width, channel = images.shape
    larger = (batch, height + 2 * padding, width + 2 * padding, channel)
    border = jnp.broadcast_to(jnp.reshape(fill, (1, 1, 1, channel)), larger)
    padded = border.at[:, padding : padding + height, padding : padding + width].set(images)
    corners = jax.random.randint(key, (batch, 2), 0, 2 * padding + 1)

    def crop(image, corner):
        return jax.lax.dynamic_slice(image, (corner[0], corner[1], 0), (height, width, channel))

    return jax.vmap(crop)(padded, corners)


def random_flip(key: Key[Array, ""], images: Images) -> Images:
    """Returns each image, or with probability 0.5 its left-right mirror image.

    Args:
        key: a random key.
        images: the images to flip.

    Returns:
        Images of the same shape. He et al., "Deep residual learning for image recognition", 2015,
        section 4.2.
    """
    mirrored = jax.random.bernoulli(key, 0.5, (len(images), 1, 1, 1))
    return jnp.where(mirrored, images[:, :, ::-1], images)
