"""Gray values read as the probabilities of white."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

LEVELS = 65_536


def binarize(key: Key[Array, ""], images: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Each value of [-1, 1] becomes 1 with probability (value + 1) / 2, else -1.

    Drawn anew for every key (dynamic binarization, Salakhutdinov and Murray, 2008); values that
    are -1 or 1 stay. The probability is rounded to 16 bits.
    """
    thresholds = jnp.round((images + 1.0) / 2.0 * LEVELS).astype(jnp.int32)
    drawn = jax.random.bits(key, images.shape, jnp.uint16).astype(jnp.int32)
    return jnp.where(drawn < thresholds, 1.0, -1.0)
