"""The noise that a denoising autoencoder learns to remove."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

Images = Float[Array, "batch height width channel"]


def corrupt(
    key: Key[Array, ""],
    images: Images,
    *,
    masking: float = 0.0,
    gaussian: float = 0.0,
    salt_and_pepper: float = 0.0,
) -> Images:
    """x~ drawn from q(x~ | x): masking, then Gaussian, then salt-and-pepper noise.

    - `masking`: each pixel turns black with this probability;
    - `gaussian`: the standard deviation, on [0, 1] pixels, of what is added to every value, so that
      the result may leave [-1, 1];
    - `salt_and_pepper`: each pixel turns black or white with this probability, at equal odds.

    A pixel turns black or white in all its channels at once. A level of 0 costs nothing, and all
    at 0 give the images back. Raises ValueError for a probability outside [0, 1] or a negative
    deviation. Vincent et al., 2010, section 3.3, where exactly that part of an image's pixels is
    chosen, and here on average.
    """
    for name, level in (("masking", masking), ("salt_and_pepper", salt_and_pepper)):
        if not 0.0 <= level <= 1.0:
            raise ValueError(f"{name} is {level}; it must be from 0 to 1")
    if gaussian < 0.0:
        raise ValueError(f"gaussian is {gaussian}; it must be at least 0")
    masking_key, gaussian_key, salt_key = jax.random.split(key, 3)
    pixels = (*images.shape[:-1], 1)
    if masking > 0.0:
        images = jnp.where(jax.random.uniform(masking_key, pixels) < masking, -1.0, images)
    if gaussian > 0.0:
        # The range [-1, 1] is twice as wide as [0, 1].
        images = images + 2.0 * gaussian * jax.random.normal(gaussian_key, images.shape)
    if salt_and_pepper > 0.0:
        draw = jax.random.uniform(salt_key, pixels)
        images = jnp.where(draw < salt_and_pepper, 1.0, images)
        images = jnp.where(draw < salt_and_pepper / 2.0, -1.0, images)
    return images
