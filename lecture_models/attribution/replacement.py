"""Scores attributions by deletion and insertion: pixels are replaced in the order of the map.

Petsiuk et al., 2018, RISE: randomized input sampling for explanation of black-box models, section
4.1.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

Image = Float[Array | np.ndarray, "height width channel"]
Images = Float[Array, "batch height width channel"]
Map = Float[Array | np.ndarray, "height width"]


def ranks(attribution: Map, seed: int = 0) -> Int[np.ndarray, "height width"]:
    """Returns the rank of each pixel: 0 for the largest value of the map, then 1, and so on.

    Equal values are in random order. In the order of rows, a map with many zeros would be scored by
    where they lie.

    Args:
        attribution: the map.
        seed: seed of that random order.

    Returns:
        The ranks, from 0 to the number of pixels - 1.
    """
    values = np.asarray(attribution)
    shuffled = np.random.default_rng(seed).permutation(values.size)
    order = np.lexsort((shuffled, -values.ravel()))
    pixel_ranks = np.empty(values.size, np.int64)
    pixel_ranks[order] = np.arange(values.size)
    return pixel_ranks.reshape(values.shape)


def replacement_curve(
    score: Callable[[Images], Float[Array | np.ndarray, " batch"]],
    start: Image,
    end: Image,
    attribution: Map,
    steps: int,
    batch_size: int,
) -> Float[np.ndarray, " point"]:
    """Returns the score while the pixels of one image are replaced by those of another.

    Deletion goes from an image to a baseline, insertion from a blurred image to the image itself.

    Args:
        score: computes one score per image, usually the probability of a class.
        start: the image before any replacement, (height, width, channel).
        end: the image whose pixels are put in, of the same shape.
        attribution: the map; pixels with its largest values are replaced first.
        steps: number of equal steps from no pixel to all pixels.
        batch_size: number of images per call of `score`.

    Returns:
        The score with shares 0, 1/steps, ..., 1 of the pixels replaced: `steps` + 1 values.

    Raises:
        ValueError: if `steps` or `batch_size` is below 1.
    """
    if steps < 1 or batch_size < 1:
        raise ValueError(f"{steps} steps in batches of {batch_size}: both must be at least 1")
    place = ranks(attribution)[..., None]
    limits = np.round(np.linspace(0.0, place.size, steps + 1))
    before, after = np.asarray(start), np.asarray(end)
    values = []
    for first in range(0, len(limits), batch_size):
        batch = limits[first : first + batch_size]
        padded = np.pad(batch, (0, batch_size - len(batch)), mode="edge")
        images = np.stack([np.where(place < limit, after, before) for limit in padded])
        values.append(np.asarray(score(jnp.asarray(images)))[: len(batch)])
    return np.concatenate(values)


def area(curve: Float[np.ndarray, " point"]) -> float:
    """Returns the area under a curve over the shares from 0 to 1, by the trapezoidal rule.

    Args:
        curve: the values at equally spaced shares, at least two.

    Returns:
        The area; 1 for a score of 1 throughout. For deletion lower is better, for insertion higher.
    """
    return float((curve[1:] + curve[:-1]).mean() / 2.0)


def blurred(image: Image, factor: int) -> Image:
    """Returns an image without detail: it is reduced with antialiasing and enlarged again.

    Args:
        image: the image, (height, width, channel).
        factor: the factor of the reduction.

    Returns:
        The blurred image, of the same shape.
    """
    height, width, channel = image.shape
    small = (max(1, height // factor), max(1, width // factor), channel)
    reduced = jax.image.resize(jnp.asarray(image), small, "linear", antialias=True)
    return jax.image.resize(reduced, image.shape, "linear")
