"""What is optimized in place of the pixels, and how it becomes an image."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Images = Float[Array, "image height width channel"]


class Parameterization(NamedTuple):
    """Pure functions between params, whose leaves have the images first, and images in [-1, 1].

    `encode` gives params that decode to an image, up to what the range allows; `project` brings
    params back into the range after an update.
    """

    decode: Callable[[Any], Images]
    encode: Callable[[Images], Any]
    project: Callable[[Any], Any] = lambda params: params


def pixels(limited: bool = True) -> Parameterization:
    """The pixels themselves; `limited` clips them to [-1, 1] after each update.

    Clipping afterwards, not in `decode`, leaves a gradient that can bring a pixel back.
    """
    if not limited:
        return Parameterization(lambda params: params, lambda images: images)
    return Parameterization(
        lambda params: params, lambda images: images, lambda params: jnp.clip(params, -1.0, 1.0)
    )


# The root of the covariance of ImageNet's colors, as lucid prints it (Olah et al., 2017).
_COLORS = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]], np.float32)
_COLORS /= np.linalg.norm(_COLORS, axis=0).max()


def fourier(height: int, width: int, decay: float = 1.0) -> Parameterization:
    """A spectrum whose amplitudes fall with frequency^decay, of decorrelated colors.

    The image is tanh of half of the transform, so its gradient never vanishes altogether; an image
    at the ends of the range is encoded as if at 0.99. Olah, Mordvintsev and Schubert, 2017, Feature
    visualization, section on preconditioning.
    """
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    frequency = np.maximum(np.hypot(rows, columns), 1.0 / max(height, width))
    # The factor keeps a spectrum of unit normal values at images of a standard deviation near 1.
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


def within(inner: Parameterization, height: int, width: int, canvas: tuple[int, int]):
    """`inner` for params that are the upper left corner of arrays of `canvas` (height, width).

    So stages of several sizes share one structure of the state. The rest stays 0: it has no
    gradient. For params that have height and width as their second and third axes.
    """
    below, right = canvas[0] - height, canvas[1] - width
    border = ((0, 0), (0, below), (0, right), (0, 0))
    return Parameterization(
        decode=lambda params: inner.decode(params[:, :height, :width]),
        encode=lambda images: jnp.pad(inner.encode(images), border),
        project=lambda params: jnp.pad(inner.project(params[:, :height, :width]), border),
    )
