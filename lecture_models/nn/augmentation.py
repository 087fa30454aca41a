"""Random crops and mirror images, drawn anew for each example, and the moments of channels."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Key

Images = Float[Array, "batch height width channel"]


class ChannelMoments(NamedTuple):
    """Mean and standard deviation of each channel over images and pixels."""

    mean: Float32[np.ndarray, " channel"]
    deviation: Float32[np.ndarray, " channel"]


def channel_moments(images: Float[np.ndarray, "image height width channel"]) -> ChannelMoments:
    """Of a training split. A channel that never changes has the deviation 1."""
    mean = images.mean((0, 1, 2), dtype=np.float64)
    deviation = images.std((0, 1, 2), dtype=np.float64)
    deviation = np.where(deviation > 0.0, deviation, 1.0)
    return ChannelMoments(mean.astype(np.float32), deviation.astype(np.float32))


def standardize(images: Images, moments: ChannelMoments) -> Images:
    """(images - mean) / deviation, channel by channel."""
    mean, deviation = (jnp.reshape(each, (1, 1, 1, -1)) for each in moments)
    return (images - mean) / deviation


def random_crop(
    key: Key[Array, ""], images: Images, padding: int, fill: Float32[np.ndarray, " channel"]
) -> Images:
    """Each image moved by up to `padding` pixels in both directions; `fill` is what comes in.

    As a crop of the image's own size from the image with a border of `padding` pixels on every
    side, all (2 padding + 1)^2 places alike. With the training split's mean as `fill` the border
    is 0 once images are standardized. He et al., "Deep residual learning for image recognition",
    2015, section 4.2: padding 4.

    Raises ValueError for a negative padding.
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
    """Each image or, with probability 0.5, its mirror image, left for right."""
    mirrored = jax.random.bernoulli(key, 0.5, (len(images), 1, 1, 1))
    return jnp.where(mirrored, images[:, :, ::-1], images)
