"""Colors that stay what they were: luminance alone, and the colors of one picture in another.

Gatys, Bethge, Hertzmann and Shechtman, 2016, Preserving color in neural artistic style transfer.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lecture_models.image_space.parameterizations import Parameterization

Images = Float[Array, "image height width 3"]
Others = Float[Array, "other other_height other_width 3"]

_LUMINANCE = (0.299, 0.587, 0.114)  # Of red, green and blue: ITU-R BT.601.
_LEAST = 1e-5  # Variance of a color in [-1, 1]: a thousandth of one level in 255, squared.


def gray(images: Images) -> Images:
    """The luminance Y = 0.299 R + 0.587 G + 0.114 B in all three channels."""
    y = images @ jnp.asarray(_LUMINANCE).reshape(3, 1)
    return jnp.broadcast_to(y, images.shape)


def match_luminance(images: Images, target: Others) -> Images:
    """Gray pictures with the mean and standard deviation of the target's luminance: eq. 2.

    Section 5.2 of the paper does so to the style before its luminance is transferred.
    """
    images, target = gray(images), gray(target)
    spread = target.std() / jnp.maximum(images.std(), jnp.sqrt(_LEAST))
    return (images - images.mean()) * spread + target.mean()


def match_colors(images: Images, target: Others) -> Images:
    """x' = A x + b, with the mean and covariance of the target's colors over all pixels.

    A = C^(1/2) S^(-1/2), the symmetric roots of the covariances C of the target and S of the
    images: section 4 and its "Image Analogies" solution. The result may leave [-1, 1].
    """
    pixels, wanted = images.reshape(-1, 3), target.reshape(-1, 3)
    # An accelerator may round the factors of a product to fewer bits than a color needs.
    with jax.default_matmul_precision("float32"):
        centered = pixels - pixels.mean(0, keepdims=True)
        matrix = _power(_covariance(wanted), 0.5) @ _power(_covariance(pixels), -0.5)
        matched = centered @ matrix.T + wanted.mean(0, keepdims=True)
    return matched.reshape(images.shape)


def luminance_pixels() -> Parameterization:
    """Pixels that only gain or lose the same in all three channels, so that their colors stay.

    A gradient reaches the params along (1, 1, 1) alone, so the differences of channels, I and Q of
    YIQ among them, are those of the images that were encoded, for any optimizer whose steps are
    sums of gradients. Nothing is clipped.
    """

    def decode(params: Images) -> Images:
        mean = params.mean(-1, keepdims=True)
        return jax.lax.stop_gradient(params - mean) + mean

    return Parameterization(decode, lambda images: images)


def _covariance(pixels: Float[Array, "pixel 3"]) -> Float[Array, "3 3"]:
    centered = pixels - pixels.mean(0, keepdims=True)
    return centered.T @ centered / len(pixels) + _LEAST * jnp.eye(3)


def _power(matrix: Float[Array, "3 3"], exponent: float) -> Float[Array, "3 3"]:
    values, vectors = jnp.linalg.eigh(matrix)
    return (vectors * values.reshape(1, 3) ** exponent) @ vectors.T
