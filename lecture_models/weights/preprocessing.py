"""Prepares images in [-1, 1] as the input of published networks; every step is differentiable."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

RgbImages = Float[Array, "batch height width 3"]
Resized = Float[Array, "batch input_height input_width 3"]
Levels = Float[Array, "batch height width channel"]
# Shares of red, green and blue in gray, as in Pillow's mode L: ITU-R BT.601.
LUMA = (0.299, 0.587, 0.114)


class Preprocessing(NamedTuple):
    """Makes the input of a network from images, as in its training.

    Attributes:
        mean: is subtracted from each channel, in the order of the network's channels: three, or one
            if the network takes gray images.
        std: divides each channel after that.
        white: the level of white; black is 0.
        bgr: True if the network's channels are blue, green and red.
        size: height and width of the network's input, cropped from the center; 0 if the network
            takes images of any size, which are then neither resized nor cropped.
        shorter_side: length to which the shorter side is resized before cropping, in pixels.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    white: float
    bgr: bool
    size: int
    shorter_side: int = 256

    def __call__(self, images: RgbImages) -> Float[Array, "batch input_height input_width channel"]:
        """Returns the network's input from RGB in [-1, 1]: resized, cropped and normalized."""
        if self.size:
            images = central_crop(resize(images, self.shorter_side), self.size)
        return self.normalize(images)

    def normalize(self, images: RgbImages) -> Levels:
        """Returns the network's levels and channels from RGB in [-1, 1], at the same size."""
        channels = images[..., ::-1] if self.bgr else images
        if len(self.mean) == 1:
            shares = jnp.asarray(LUMA, jnp.float32).reshape(1, 1, 1, 3)
            channels = (images * shares).sum(axis=-1, keepdims=True)
        scale = jnp.asarray(self.std, jnp.float32).reshape(1, 1, 1, -1)
        shift = jnp.asarray(self.mean, jnp.float32).reshape(1, 1, 1, -1)
        return ((channels + 1.0) * (self.white / 2.0) - shift) / scale


def standardized(size: int, mean: tuple[float, ...], deviation: tuple[float, ...]) -> Preprocessing:
    """Returns the preprocessing of a network whose input is (image - mean) / deviation.

    Args:
        size: height and width of the network's input, in pixels.
        mean: the mean of each channel in [-1, 1]; one number for gray images, three for RGB.
        deviation: the standard deviation of each channel.
    """
    levels = tuple(value + 1.0 for value in mean)  # Black is 0 there, and white is 2.
    return Preprocessing(levels, deviation, 2.0, bgr=False, size=size, shorter_side=size)


def resize(images: RgbImages, shorter_side: int) -> Resized:
    """Resizes images bicubically with antialiasing, and clips the overshoot to [-1, 1].

    The kernel has a = -0.5, as Pillow's, with whose bytes the result agrees up to rounding. Images
    that have the size are returned unchanged.

    Args:
        images: values in [-1, 1].
        shorter_side: length of the shorter side of the result, in pixels; the aspect ratio is kept.
    """
    batch, height, width, channel = images.shape
    short = min(height, width)
    if short == shorter_side:
        return images
    sides = tuple(max(1, round(side * shorter_side / short)) for side in (height, width))
    resized = jax.image.resize(images, (batch, *sides, channel), "cubic", antialias=True)
    return jnp.clip(resized, -1.0, 1.0)


def central_crop(images: RgbImages, size: int) -> Resized:
    """Returns the central `size` x `size` pixels.

    Raises:
        ValueError: a side is shorter than `size`.
    """
    top, left = _margins(images, size)
    return images[:, top : top + size, left : left + size]


def ten_crops(images: RgbImages, size: int) -> Float[Array, "ten_batch size size 3"]:
    """Returns the four corners and the center of all images, then the same five mirrored.

    Krizhevsky et al., 2012, section 4.1, test with the mean probability of the ten crops.

    Args:
        images: the images.
        size: height and width of a crop.

    Raises:
        ValueError: a side is shorter than `size`.
    """
    top, left = _margins(images, size)
    bottom, right = images.shape[1] - size, images.shape[2] - size
    corners = [(0, 0), (0, right), (bottom, 0), (bottom, right), (top, left)]
    crops = [images[:, y : y + size, x : x + size] for y, x in corners]
    return jnp.concatenate([*crops, *(crop[:, :, ::-1] for crop in crops)])


def _margins(images: RgbImages, size: int) -> tuple[int, int]:
    _, height, width, _ = images.shape
    if min(height, width) < size:
        raise ValueError(
            f"images are {height}x{width}; for a crop of {size}x{size} no side may be shorter"
        )
    return (height - size) // 2, (width - size) // 2
