"""Defines random changes of an image before the network, so that no single alignment is exploited.

A transform takes a random key and images in [-1, 1] of any size, and returns images in [-1, 1].
Pixels from outside of the image are mid-gray, 0, except that `jitter` rolls the image around.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

Images = Float[Array, "image height width channel"]
Transform = Callable[[Key[Array, ""], Images], Float[Array, "image new_height new_width channel"]]


def identity(key: Key[Array, ""], images: Images) -> Images:
    """Returns the images unchanged.

    Args:
        key: not used.
        images: the images.

    Returns:
        The images.
    """
    return images


def compose(*transforms: Transform) -> Transform:
    """Returns the transform that applies several transforms, each with its own key.

    Args:
        *transforms: the transforms, applied in this order.

    Returns:
        The transform; `identity` if there are none.
    """

    def transform(key, images):
        keys = jax.random.split(key, len(transforms))
        for transform_one, one_key in zip(transforms, keys, strict=True):
            images = transform_one(one_key, images)
        return images

    return transform if transforms else identity


def jitter(most: int) -> Transform:
    """Returns the transform that rolls the images by random numbers of rows and columns.

    Pixels that leave at one edge enter at the opposite edge.

    Args:
        most: the largest shift in pixels; shifts are uniform from -most to most, both included.

    Returns:
        The transform.
    """

    def transform(key, images):
        shifts = jax.random.randint(key, (2,), -most, most + 1)
        return jnp.roll(images, (shifts[0], shifts[1]), (1, 2))

    return transform


def random_scale(least: float, most: float) -> Transform:
    """Returns the transform that scales the images about their center by a random factor.

    The shape of the arrays does not change: larger images are cropped, smaller ones padded.

    Args:
        least: the smallest factor.
        most: the largest factor; the distribution is uniform.

    Returns:
        The transform.
    """

    def transform(key, images):
        scale = jax.random.uniform(key, minval=least, maxval=most)
        return _sampled(images, jnp.eye(2) / scale)

    return transform


def random_rotation(degrees: float) -> Transform:
    """Returns the transform that rotates the images about their center by a random angle.

    Args:
        degrees: the largest angle; the distribution is uniform from -degrees to degrees.

    Returns:
        The transform.
    """

    def transform(key, images):
        angle = jnp.deg2rad(jax.random.uniform(key, minval=-degrees, maxval=degrees))
        cosine, sine = jnp.cos(angle), jnp.sin(angle)
        return _sampled(images, jnp.array([[cosine, -sine], [sine, cosine]]))

    return transform


def random_placement(most: int, scale: float, degrees: float) -> Transform:
    """Returns the transform that shifts, scales and rotates the images at random, in this order.

    Args:
        most: the largest shift in pixels, as in `jitter`; 0 for none.
        scale: the factor is from 1 - scale to 1 + scale; 0 for none.
        degrees: the largest angle; 0 for none.

    Returns:
        The transform; `identity` if all are 0.
    """
    chosen = []
    if most:
        chosen.append(jitter(most))
    if scale:
        chosen.append(random_scale(1.0 - scale, 1.0 + scale))
    if degrees:
        chosen.append(random_rotation(degrees))
    return compose(*chosen)


def pad(width: int, value: float = 0.0) -> Transform:
    """Returns the transform that adds a border of one gray value; it is not random.

    Args:
        width: width of the border in pixels.
        value: the gray value in [-1, 1].

    Returns:
        The transform; its images are larger by 2 `width` in both directions.
    """
    border = ((0, 0), (width, width), (width, width), (0, 0))
    return lambda key, images: jnp.pad(images, border, constant_values=value)


def _sampled(images: Images, matrix: Float[Array, "2 2"]) -> Images:
    """Interpolates the images at matrix @ (place - center) + center, linearly between pixels."""
    height, width = images.shape[1:3]
    center = jnp.array([(height - 1) / 2, (width - 1) / 2]).reshape(2, 1)
    rows, columns = jnp.meshgrid(jnp.arange(height), jnp.arange(width), indexing="ij")
    places = jnp.stack([rows.ravel(), columns.ravel()]) - center
    rows, columns = (matrix @ places + center).reshape(2, height, width)

    def one_channel(plane):
        return jax.scipy.ndimage.map_coordinates(plane, [rows, columns], order=1)

    over_channels = jax.vmap(one_channel, in_axes=-1, out_axes=-1)
    return jax.vmap(over_channels)(images)
