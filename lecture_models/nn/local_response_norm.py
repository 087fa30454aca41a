"""Normalizes local responses across channels, as Krizhevsky et al. and Caffe define it."""

import functools

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

Maps = Float[Array, "batch height width channel"]


def local_response_norm(x: Maps, size: int, alpha: float, beta: float, k: float) -> Maps:
    """Divides each value by a power of the energy of the `size` channels around it.

    y_c = x_c / (k + alpha sum_j x_j^2)^beta, over |j - c| <= (size - 1) / 2 within the channels

    Args:
        x: the maps.
        size: the number of channels in the sum, odd and positive.
        alpha: the factor of the sum.
        beta: the exponent.
        k: the constant that is added to the sum.

    Returns:
        Normalized maps of the same shape. Krizhevsky et al., "ImageNet classification with deep
        convolutional neural networks", 2012, section 3.3.

    Raises:
        ValueError: `size` is not odd and positive.
    """
    if size < 1 or size % 2 == 0:
        raise ValueError(
            f"local response normalization has size {size}; it must be odd and positive"
        )
    window_sum = functools.partial(_window_sum, size)
    # The sum is its own transpose. Without this, XLA's gradient takes 13 times as long on a CPU.
    energy = jax.custom_derivatives.linear_call(window_sum, window_sum, (), jnp.square(x))
    scale = k + alpha * energy
    if beta == 0.75:  # Square roots take a tenth of the time of a power.
        root = lax.rsqrt(scale)
        return x * root * jnp.sqrt(root)
    return x * scale**-beta


def _window_sum(size: int, _: tuple[()], x: Maps) -> Maps:
    channels, reach = x.shape[-1], size // 2
    padded = jnp.pad(x, [(0, 0)] * 3 + [(reach, reach)])
    return sum(padded[..., first : first + channels] for first in range(size))


def caffe_local_response_norm(
    x: Maps, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Maps:
    """Normalizes like `local_response_norm`, but by the mean of the squares in place of their sum.

    The defaults are those of the BVLC GoogLeNet.

    Args:
        x: the maps.
        size: the number of channels in the mean, odd and positive.
        alpha: the factor of the mean.
        beta: the exponent.
        k: the constant that is added to the mean.

    Returns:
        Normalized maps of the same shape.

    Raises:
        ValueError: `size` is not odd and positive.
    """
    return local_response_norm(x, size, alpha / max(size, 1), beta, k)


# The constants of section 3.3, which VGG A-LRN uses too.
krizhevsky_norm = functools.partial(local_response_norm, size=5, alpha=1e-4, beta=0.75, k=2.0)
