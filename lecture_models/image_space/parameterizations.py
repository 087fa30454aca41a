"""Defines how an image is represented while it is optimized: by its pixels or by its spectrum."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Images = Float[Array, "image height width channel"]


class Parameterization(NamedTuple):
    """Holds the pure functions between images in [-1, 1] and the params that are optimized.

    Attributes:
        decode: `decode(params)` returns the images. Each leaf of the params has the images along
            its first axis.
        encode: `encode(images)` returns params that decode to the images, as far as the range of
            the parameterization allows.
        project: `project(params)` returns params moved back into their allowed range after an
            update.
    """

    decode: Callable[[Any], Images]
    encode: Callable[[Images], Any]
    project: Callable[[Any], Any] = lambda params: params


def pixels(limited: bool = True) -> Parameterization:
    """Returns the parameterization of images by their pixels.

    Args:
        limited: True to clip the pixels to [-1, 1] after each update. Clipping inside `decode`
            instead would give clipped pixels a gradient of 0, from which they never return.

    Returns:
        The parameterization; its params are the images, (image, height, width, channel).
    """
    if not limited:
        return Parameterization(lambda params: params, lambda images: images)
    return Parameterization(
        lambda params: params, lambda images: images, lambda params: jnp.clip(params, -1.0, 1.0)
    )


# The square root of the covariance of ImageNet's colors, from lucid (Olah et al., 2017).
_COLORS = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]], np.float32)
_COLORS /= np.linalg.norm(_COLORS, axis=0).max()


def fourier(height: int, width: int, decay: float = 1.0) -> Parameterization:
    """Returns the parameterization of RGB images by their spectrum, in decorrelated colors.

    x = tanh(C irfft2(s z) / 2), where z is the spectrum, C decorrelates the colors, and the scale s
    decreases as 1 / frequency^decay. Because of the tanh, a gradient never vanishes entirely. Olah,
    Mordvintsev and Schubert, 2017, Feature visualization, section on preconditioning.

    Args:
        height: height of the images in pixels.
        width: width of the images in pixels.
        decay: exponent with which the scale of a frequency decreases; 0 scales all alike.

    Returns:
        The parameterization; its params are (image, height, width // 2 + 1, 3, 2), the last axis
        holding the real and imaginary parts. `encode` first clips images to [-0.99, 0.99].
    """
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    frequency = np.maximum(np.hypot(rows, columns), 1.0 / max(height, width))
    # With this factor, standard normal params give planes of a standard deviation near 1.
    scale = np.sqrt(height * width) / frequency**decay / np.sqrt((frequency ** (-2 * decay)).mean())
    scale = scale.astype(np.float32)[None, :, :, None, None] / np.sqrt(2.0, dtype=np.float32)
    colors = jnp.asarray(_COLORS)

    def decode(spectrum: Float[Array, "image height half 3 2"]) -> Images:
        scaled = spectrum * scale
        waves = scaled[..., 0] + 1j * scaled[..., 1]
        planes = jnp.fft.irfft2(waves, (height, width), axes=(1, 2))
        return jnp.tanh(planes @ colors.T / 2.0)

    def encode(images: Images):
        planes = 2.0 * jnp.arctanh(jnp.clip(images, -0.99, 0.99)) @ jnp.linalg.inv(colors.T)
        waves = jnp.fft.rfft2(planes, axes=(1, 2))
        return jnp.stack([waves.real, waves.imag], -1) / scale

    return Parameterization(decode, encode)


def within(
    inner: Parameterization, height: int, width: int, canvas: tuple[int, int]
) -> Parameterization:
    """Returns a parameterization whose params fill the upper left corner of larger arrays.

    Stages of several image sizes can then share a state of one structure. The rest of the arrays
    stays 0, as its gradient is 0.

    Args:
        inner: the parameterization of the images; the second and third axes of its params must be
            height and width.
        height: height of the images in pixels.
        width: width of the images in pixels.
        canvas: height and width of the arrays, at least those of the images.

    Returns:
        The parameterization; its params are (image, canvas height, canvas width, channel).
    """
    below, right = canvas[0] - height, canvas[1] - width
    border = ((0, 0), (0, below), (0, right), (0, 0))
    return Parameterization(
        decode=lambda params: inner.decode(params[:, :height, :width]),
        encode=lambda images: jnp.pad(inner.encode(images), border),
        project=lambda params: jnp.pad(inner.project(params[:, :height, :width]), border),
    )
