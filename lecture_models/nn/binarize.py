"""Draws black-and-white images from gray ones."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

LEVELS = 65_536


def binarize(key: Key[Array, ""], images: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Draws each value as 1 with probability (value + 1) / 2, else -1.

    Args:
        key: a random key; a new one for each batch gives dynamic binarization.
        images: gray values in [-1, 1].

    Returns:
        An array of -1 and 1; values that were -1 or 1 are unchanged. The probability is rounded to
        16 bits. Salakhutdinov and Murray, "On the quantitative analysis of deep belief networks",
        2008.
    """
    thresholds = jnp.round((images + 1.0) / 2.0 * LEVELS).astype(jnp.int32)
    drawn = jax.random.bits(key, images.shape, jnp.uint16).astype(jnp.int32)
    return jnp.where(drawn < thresholds, 1.0, -1.0)
