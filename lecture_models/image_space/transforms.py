"""Random changes of an image before the network sees it, so that no single alignment is exploited.

A transform takes a key and images of any size and gives images in [-1, 1] again; what moves in from
outside is gray, 0, but where `jitter` rolls it around.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

Images = Float[Array, "image height width channel"]
Transform = Callable[[Key[Array, ""], Images], Float[Array, "image new_height new_width channel"]]


def identity(key: Key[Array, ""], images: Images) -> Images:
    return images


def compose(*transforms: Transform) -> Transform:
    """One after the other, each with a key of its own."""

    def transform(key, images):
        for each, part in zip(transforms, jax.random.split(key, len(transforms)), strict=True):
            images = each(part, images)
        return images

    return transform if transforms else identity


def jitter(most: int) -> Transform:
    """Rolls by -most ... most pixels along each side, with what leaves coming in opposite."""

    def transform(key, images):
        shifts = jax.random.randint(key, (2,), -most, most + 1)
        return jnp.roll(images, (shifts[0], shifts[1]), (1, 2))

    return transform


def random_scale(least: float, most: float) -> Transform:
    """Scales about the center by a factor drawn evenly; the size of the image stays."""

    def transform(key, images):
        scale = jax.random.uniform(key, minval=least, maxval=most)
        return _sampled(images, jnp.eye(2) / scale)

    return transform


def random_rotation(degrees: float) -> Transform:
    """Turns about the center by an angle drawn evenly from -degrees ... degrees."""

    def transform(key, images):
        angle = jnp.deg2rad(jax.random.uniform(key, minval=-degrees, maxval=degrees))
        cosine, sine = jnp.cos(angle), jnp.sin(angle)
        return _sampled(images, jnp.array([[cosine, -sine], [sine, cosine]]))

    return transform


def pad(width: int, value: float = 0.0) -> Transform:
    """A border of one gray; it draws nothing."""
    border = ((0, 0), (width, width), (width, width), (0, 0))
    return lambda key, images: jnp.pad(images, border, constant_values=value)


def _sampled(images: Images, matrix: Float[Array, "2 2"]) -> Images:
    """At matrix @ (place - center) + center, linear between pixels."""
    height, width = images.shape[1:3]
    center = jnp.array([(height - 1) / 2, (width - 1) / 2]).reshape(2, 1)
    rows, columns = jnp.meshgrid(jnp.arange(height), jnp.arange(width), indexing="ij")
    places = jnp.stack([rows.ravel(), columns.ravel()]) - center
    rows, columns = (matrix @ places + center).reshape(2, height, width)

    def one_channel(plane):
        return jax.scipy.ndimage.map_coordinates(plane, [rows, columns], order=1)

    over_channels = jax.vmap(one_channel, in_axes=-1, out_axes=-1)
    return jax.vmap(over_channels)(images)
