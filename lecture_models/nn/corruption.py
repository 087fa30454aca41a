"""Adds the noise that a denoising autoencoder learns to remove."""

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
    """Draws noisy images x~ from q(x~ | x): masking, then Gaussian, then salt-and-pepper noise.

    A pixel turns black or white in all its channels at once. A level of 0 skips its noise; if all
    levels are 0, the images are returned unchanged.

    Vincent et al., "Stacked denoising autoencoders", 2010, section 3.3. The paper corrupts exactly
    the given fraction of an image's pixels; here it is that fraction on average.

    Args:
        key: a random key.
        images: clean images in [-1, 1].
        masking: the probability with which each pixel turns black (-1).
        gaussian: the standard deviation of the noise that is added to every value, measured on
            pixels in [0, 1].
        salt_and_pepper: the probability with which each pixel turns black or white (-1 or 1), both
            equally likely.

    Returns:
        Noisy images of the same shape; Gaussian noise may leave [-1, 1].

    Raises:
        ValueError: a probability is not in [0, 1], or the standard deviation is negative.
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
