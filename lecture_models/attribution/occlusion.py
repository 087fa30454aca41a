"""Attribution by covering: how much the score falls where a patch hides the image."""

from collections.abc import Callable, Iterator

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Image = Float[Array | np.ndarray, "height width channel"]
Images = Float[Array, "batch height width channel"]
Score = Callable[[Images], Float[Array | np.ndarray, " batch"]]


def corners(length: int, size: int, stride: int) -> list[int]:
    """First pixels of patches of `size`, at most `stride` apart, the last one at the end.

    Raises ValueError where the patch does not fit, or the stride is below 1 or above the size, so
    that pixels would be left out.
    """
    if not 1 <= size <= length or not 1 <= stride <= size:
        raise ValueError(
            f"patches of {size} at stride {stride} on {length} pixels: the patch must fit, and "
            "the stride be from 1 to its size"
        )
    return [*range(0, length - size, stride), length - size]


def occluded(
    image: Image, size: int, stride: int, fill: float
) -> Iterator[tuple[int, int, Float[np.ndarray, "height width channel"]]]:
    """Top, left and the image with `fill` in the patch there, row by row."""
    height, width, _ = image.shape
    for top in corners(height, size, stride):
        for left in corners(width, size, stride):
            covered = np.array(image)
            covered[top : top + size, left : left + size] = fill
            yield top, left, covered


def occlusion_map(
    score: Score, image: Image, size: int, stride: int, batch_size: int, fill: float = 0.0
) -> Float[np.ndarray, "height width"]:
    """For each pixel the mean fall of the score, S(x) - S(x covered), of the patches over it.

    The score is called with `batch_size` images at a time. Raises ValueError as `corners` does.

    Zeiler and Fergus, "Visualizing and understanding convolutional networks", 2014, section 4.2,
    where one gray square shows the score itself: the map is low where this one is high.
    """
    falls = np.zeros(image.shape[:2], np.float32)
    counts = np.zeros(image.shape[:2], np.float32)
    whole = float(np.asarray(score(jnp.asarray(np.stack([np.asarray(image)] * batch_size))))[0])
    patches = occluded(image, size, stride, fill)
    while batch := [patch for _, patch in zip(range(batch_size), patches, strict=False)]:
        images = [covered for _, _, covered in batch]
        images += [images[-1]] * (batch_size - len(images))
        scores = np.asarray(score(jnp.asarray(np.stack(images))))
        for (top, left, _), value in zip(batch, scores, strict=False):
            area = np.s_[top : top + size, left : left + size]
            falls[area] += whole - value
            counts[area] += 1.0
    return falls / counts
