"""Computes the exact likelihood of images from the logits of their pixels.

Logits have the images' shape where pixels are bits, and one axis more where they have several
levels, which are evenly spaced from -1 to 1.
"""

import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int32

from lecture_models.losses.reconstruction import bernoulli_cross_entropy

Images = Float[Array, "batch height width channel"]
BitLogits = Float[Array, "batch height width channel"]
LevelLogits = Float[Array, "batch height width channel level"]


def to_levels(images: Images, num_levels: int) -> Int32[Array, "batch height width channel"]:
    """Returns the index of each pixel's level.

    Args:
        images: pixels in [-1, 1], which are rounded to the nearest level.
        num_levels: the number of levels; 256 for images of 8 bits.

    Returns:
        Indices from 0, for -1, to num_levels - 1, for 1.
    """
    return jnp.round((images + 1.0) * ((num_levels - 1) / 2.0)).astype(jnp.int32)


def from_levels(levels: Int32[Array, "*shape"], num_levels: int) -> Float[Array, "*shape"]:
    """Returns pixels in [-1, 1]; it is the inverse of `to_levels`.

    Args:
        levels: indices from 0 to num_levels - 1.
        num_levels: the number of levels, at least 2.

    Returns:
        Pixels from -1, for 0, to 1, for num_levels - 1.
    """
    return levels.astype(jnp.float32) * (2.0 / (num_levels - 1)) - 1.0


def pixel_nats(
    logits: BitLogits | LevelLogits, images: Images
) -> Float[Array, "batch height width channel"]:
    """Returns -log p(x_i | x_1 ... x_{i-1}) of each pixel and channel: its surprise.

    Args:
        logits: a logit of 1 for each bit, or logits of the levels of each pixel.
        images: the images in [-1, 1].

    Returns:
        One value per pixel and channel in nats, at least 0: log 2 for a logit of 0, log 256 for
        256 equal logits. Van den Oord et al., 2016, equations 1 and 2.
    """
    if logits.ndim == images.ndim:
        return optax.sigmoid_binary_cross_entropy(logits, (images + 1.0) / 2.0)
    labels = to_levels(images, logits.shape[-1])
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels)


def image_nats(logits: BitLogits | LevelLogits, images: Images) -> Float[Array, " batch"]:
    """Returns the exact negative log-likelihood of each image, the sum over its pixels.

    -log p(x) = -sum_i log p(x_i | x_1 ... x_{i-1})

    Args:
        logits: a logit of 1 for each bit, or logits of the levels of each pixel.
        images: the images in [-1, 1].

    Returns:
        One value per image in nats, lower is better: 543.43 for bits of 28x28 with logits of 0.
        Van den Oord et al., 2016, equation 1.
    """
    if logits.ndim == images.ndim:
        return bernoulli_cross_entropy(logits, images)
    return pixel_nats(logits, images).sum(axis=(1, 2, 3))


def bits_per_dimension(
    nats: Float[Array, "*shape"] | float, dimensions: int
) -> Float[Array, "*shape"] | float:
    """Converts the nats of an image to bits per pixel and channel.

    Args:
        nats: -log p(x) of images, in nats.
        dimensions: the number of pixels times the number of channels, at least 1.

    Returns:
        nats / (dimensions log 2), lower is better: 8 for images of 8 bits that are noise. Van den
        Oord et al., 2016, section 5.2.

    Raises:
        ValueError: there are no dimensions.
    """
    if dimensions < 1:
        raise ValueError(f"an image has {dimensions} dimensions; it must have at least 1")
    return nats / (dimensions * np.log(2.0))
