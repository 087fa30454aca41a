"""Keeps or transfers colors: luminance alone, and the colors of one image in another.

Gatys, Bethge, Hertzmann and Shechtman, 2016, Preserving color in neural artistic style transfer.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lecture_models.image_space.parameterizations import Parameterization

Images = Float[Array, "image height width 3"]
Targets = Float[Array, "target target_height target_width 3"]

_LUMINANCE = (0.299, 0.587, 0.114)  # Weights of red, green and blue: ITU-R BT.601.
# Added to variances of colors in [-1, 1]: a thousandth of one level in 255, squared.
_MIN_VARIANCE = 1e-5


def gray(images: Images) -> Images:
    """Returns images with their luminance in all three channels.

    Y = 0.299 R + 0.587 G + 0.114 B, from ITU-R BT.601.

    Args:
        images: RGB images, (image, height, width, 3).

    Returns:
        Gray images of the same shape and range.
    """
    y = images @ jnp.asarray(_LUMINANCE).reshape(3, 1)
    return jnp.broadcast_to(y, images.shape)


def match_luminance(images: Images, target: Targets) -> Images:
    """Returns gray images whose luminance has the mean and standard deviation of the target's.

    Y' = std(Y_target) / std(Y) (Y - mean(Y)) + mean(Y_target). Section 5.2 and equation 2 of the
    paper match the style to the content in this way before the luminance is transferred.

    Args:
        images: RGB images in [-1, 1]. Mean and standard deviation are taken over all of them.
        target: RGB images in [-1, 1], of any size.

    Returns:
        Gray images of the shape of `images`. Their values may leave [-1, 1].
    """
    images, target = gray(images), gray(target)
    spread = target.std() / jnp.maximum(images.std(), jnp.sqrt(_MIN_VARIANCE))
    return (images - images.mean()) * spread + target.mean()


def match_colors(images: Images, target: Targets) -> Images:
    """Returns images whose colors have the mean and covariance of the target's colors.

    x' = A (x - mean(x)) + mean(target), with A = C^(1/2) S^(-1/2), the symmetric roots of the
    covariances C of the target and S of the images: section 4 of the paper, its "Image Analogies"
    solution.

    Args:
        images: RGB images in [-1, 1]. Mean and covariance are taken over all of their pixels.
        target: RGB images in [-1, 1], of any size.

    Returns:
        Images of the shape of `images`. Their values may leave [-1, 1].
    """
    pixels, target_pixels = images.reshape(-1, 3), target.reshape(-1, 3)
    # An accelerator may round the factors of a product to fewer bits than a color needs.
    with jax.default_matmul_precision("float32"):
        centered = pixels - pixels.mean(0, keepdims=True)
        matrix = _power(_covariance(target_pixels), 0.5) @ _power(_covariance(pixels), -0.5)
        matched = centered @ matrix.T + target_pixels.mean(0, keepdims=True)
    return matched.reshape(images.shape)


def luminance_pixels() -> Parameterization:
    """Returns a parameterization by pixels of which only the luminance is optimized.

    A gradient reaches the params along (1, 1, 1) alone. The differences between the channels, and
    with them I and Q of YIQ, therefore stay those of the encoded images under any optimizer whose
    updates are sums of gradients.

    Returns:
        The parameterization; its params are images, (image, height, width, 3), which are not
        clipped.
    """

    def decode(params: Images) -> Images:
        mean = params.mean(-1, keepdims=True)
        return jax.lax.stop_gradient(params - mean) + mean

    return Parameterization(decode, lambda images: images)


def _covariance(pixels: Float[Array, "pixel 3"]) -> Float[Array, "3 3"]:
    centered = pixels - pixels.mean(0, keepdims=True)
    return centered.T @ centered / len(pixels) + _MIN_VARIANCE * jnp.eye(3)


def _power(matrix: Float[Array, "3 3"], exponent: float) -> Float[Array, "3 3"]:
    values, vectors = jnp.linalg.eigh(matrix)
    return (vectors * values.reshape(1, 3) ** exponent) @ vectors.T
