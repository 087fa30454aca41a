"""Computes attributions by occlusion: how much the score drops when a patch hides some pixels."""

from collections.abc import Callable, Iterator

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Image = Float[Array | np.ndarray, "height width channel"]
Images = Float[Array, "batch height width channel"]
Score = Callable[[Images], Float[Array | np.ndarray, " batch"]]


def corners(length: int, size: int, stride: int) -> list[int]:
    """Returns the first pixels of patches that together cover one axis of an image.

    Args:
        length: length of the axis in pixels.
        size: side of a patch in pixels.
        stride: distance between neighboring patches in pixels; the last distance may be smaller, as
            the last patch ends where the image does.

    Returns:
        The first pixel of each patch, ascending.

    Raises:
        ValueError: if `size` is not from 1 to `length`, or `stride` not from 1 to `size`.
    """
    if not 1 <= size <= length or not 1 <= stride <= size:
        raise ValueError(
            f"patches of {size} pixels at stride {stride} on {length} pixels: a patch must fit, "
            "and the stride must be from 1 to the size of a patch"
        )
    return [*range(0, length - size, stride), length - size]


def occluded(
    image: Image, size: int, stride: int, fill: float
) -> Iterator[tuple[int, int, Float[np.ndarray, "height width channel"]]]:
    """Returns copies of an image, each with one patch filled, row by row.

    Args:
        image: the image, (height, width, channel).
        size: side of the patch in pixels.
        stride: distance between neighboring patches in pixels.
        fill: the value of pixels in the patch.

    Returns:
        An iterator over (top row of the patch, its left column, the occluded image).

    Raises:
        ValueError: as `corners`, when the first image is requested.
    """
    height, width, _ = image.shape
    for top in corners(height, size, stride):
        for left in corners(width, size, stride):
            covered = np.array(image)
            covered[top : top + size, left : left + size] = fill
            yield top, left, covered


def occlusion_map(
    score: Score, image: Image, size: int, stride: int, batch_size: int, fill: float = 0.0
) -> Float[np.ndarray, "height width"]:
    """Returns for each pixel the mean drop of the score over the patches that cover it.

    Mean of S(x) - S(occluded x). Zeiler and Fergus, 2014, Visualizing and understanding
    convolutional networks, section 4.2, show the score S(occluded x) itself, which is low where
    this map is high.

    Args:
        score: computes one score per image.
        image: the image, (height, width, channel).
        size: side of the patch in pixels.
        stride: distance between neighboring patches in pixels.
        batch_size: number of images per call of `score`.
        fill: the value of pixels in the patch; 0 is mid-gray for images in [-1, 1].

    Returns:
        The map; higher where hiding a pixel lowers the score more.

    Raises:
        ValueError: as `corners`.
    """
    drops = np.zeros(image.shape[:2], np.float32)
    counts = np.zeros(image.shape[:2], np.float32)
    whole = float(np.asarray(score(jnp.asarray(np.stack([np.asarray(image)] * batch_size))))[0])
    patches = occluded(image, size, stride, fill)
    while batch := [patch for _, patch in zip(range(batch_size), patches, strict=False)]:
        images = [covered for _, _, covered in batch]
        images += [images[-1]] * (batch_size - len(images))
        scores = np.asarray(score(jnp.asarray(np.stack(images))))
        for (top, left, _), value in zip(batch, scores, strict=False):
            patch = np.s_[top : top + size, left : left + size]
            drops[patch] += whole - value
            counts[patch] += 1.0
    return drops / counts
