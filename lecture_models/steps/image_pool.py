"""Keeps generated images of earlier steps, which a discriminator sees again."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

Images = Float[Array, "batch height width channel"]


class ImagePool(NamedTuple):
    """Holds images of earlier steps, as a part of the state, so that a resumed run has the same.

    Attributes:
        images: the images; those beyond `count` are empty.
        count: how many there are.
    """

    images: Float[Array, "place height width channel"]
    count: Int[Array, ""]


def empty_pool(size: int, image_shape: tuple[int, int, int]) -> ImagePool:
    """Returns a pool without images.

    Args:
        size: the number of images that it can hold; 0 for a pool that keeps none.
        image_shape: height, width and channels.

    Returns:
        The pool.
    """
    return ImagePool(jnp.zeros((size, *image_shape)), jnp.zeros((), jnp.int32))


def exchange(pool: ImagePool, fakes: Images, key: Key[Array, ""]) -> tuple[ImagePool, Images]:
    """Puts images into the pool, and draws as many from it, in part the new ones themselves.

    Until the pool is full, each image is kept and returned. Then with probability 1/2 an image is
    returned as it is and forgotten, and else it takes the place of a kept one, drawn evenly, which
    is returned. Shrivastava et al., 2017, section 2.3, as in the code of Zhu et al., 2017.

    Args:
        pool: the pool.
        fakes: new images.
        key: a random key.

    Returns:
        The pool after the exchange, and the images for the discriminator.
    """
    size = len(pool.images)
    if not size:
        return pool, fakes

    def put(pool: ImagePool, arrival):
        fake, own_key = arrival
        place_key, coin_key = jax.random.split(own_key)
        is_filling = pool.count < size
        place = jnp.where(is_filling, pool.count, jax.random.randint(place_key, (), 0, size))
        is_kept = is_filling | jax.random.bernoulli(coin_key)
        old = pool.images[place]
        shown = jnp.where(is_kept & ~is_filling, old, fake)
        images = pool.images.at[place].set(jnp.where(is_kept, fake, old))
        return ImagePool(images, jnp.minimum(pool.count + 1, size)), shown

    return jax.lax.scan(put, pool, (fakes, jax.random.split(key, len(fakes))))
