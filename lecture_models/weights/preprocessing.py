"""From pictures in [-1, 1] to what a published network was trained on; differentiable."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Pictures = Float[Array, "batch height width 3"]
Inputs = Float[Array, "batch input_height input_width 3"]


class Preprocessing(NamedTuple):
    """How a network's training pictures became numbers.

    Black is 0 and white is `white`; then `mean` is subtracted and `std` divided by, both in the
    order of the network's channels, blue first where `bgr`. A classifier takes the central
    `size` x `size` of a picture whose shorter side is `shorter_side`; `size` 0 takes any picture.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    white: float
    bgr: bool
    size: int
    shorter_side: int = 256

    def __call__(self, images: Pictures) -> Inputs:
        """RGB in [-1, 1] of any size -> the network's input: resized, cropped, normalized."""
        if self.size:
            images = central_crop(resize(images, self.shorter_side), self.size)
        return self.normalize(images)

    def normalize(self, images: Pictures) -> Pictures:
        """RGB in [-1, 1] -> the network's numbers and channels, at the same size."""
        channels = images[..., ::-1] if self.bgr else images
        scale = jnp.asarray(self.std, jnp.float32).reshape(1, 1, 1, 3)
        shift = jnp.asarray(self.mean, jnp.float32).reshape(1, 1, 1, 3)
        return ((channels + 1.0) * (self.white / 2.0) - shift) / scale


def resize(images: Pictures, shorter_side: int) -> Inputs:
    """Bicubic with antialiasing; overshoot is clipped to [-1, 1]. Right sizes come back untouched.

    A bicubic kernel of a = -0.5, Pillow's, whose bytes it gives to within rounding.
    """
    batch, height, width, channel = images.shape
    short = min(height, width)
    if short == shorter_side:
        return images
    sides = tuple(max(1, round(side * shorter_side / short)) for side in (height, width))
    resized = jax.image.resize(images, (batch, *sides, channel), "cubic", antialias=True)
    return jnp.clip(resized, -1.0, 1.0)


def central_crop(images: Pictures, size: int) -> Inputs:
    """Raises ValueError where a side is shorter than `size`."""
    top, left = _margins(images, size)
    return images[:, top : top + size, left : left + size]


def ten_crops(images: Pictures, size: int) -> Float[Array, "ten_batch size size 3"]:
    """The four corners and the center, then the five mirrored, each of the whole batch.

    Averaging the probabilities of all ten is the test of Krizhevsky et al., 2012, section 4.1.
    """
    top, left = _margins(images, size)
    bottom, right = images.shape[1] - size, images.shape[2] - size
    corners = [(0, 0), (0, right), (bottom, 0), (bottom, right), (top, left)]
    crops = [images[:, y : y + size, x : x + size] for y, x in corners]
    return jnp.concatenate([*crops, *(crop[:, :, ::-1] for crop in crops)])


def _margins(images: Pictures, size: int) -> tuple[int, int]:
    _, height, width, _ = images.shape
    if min(height, width) < size:
        raise ValueError(f"pictures are {height}x{width}; a crop of {size}x{size} needs as much")
    return (height - size) // 2, (width - size) // 2
