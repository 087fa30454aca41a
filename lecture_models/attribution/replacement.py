"""Deletion and insertion: how the score changes when pixels are replaced in a map's order."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

Image = Float[Array | np.ndarray, "height width channel"]
Images = Float[Array, "batch height width channel"]
Map = Float[Array | np.ndarray, "height width"]


def ranks(attribution: Map, seed: int = 0) -> Int[np.ndarray, "height width"]:
    """0 for the pixel of the largest value, and so on; equal ones in a random order.

    In the order of rows a map that is zero at many places would be judged by where they are.
    """
    values = np.asarray(attribution)
    shuffled = np.random.default_rng(seed).permutation(values.size)
    order = np.lexsort((shuffled, -values.ravel()))
    found = np.empty(values.size, np.int64)
    found[order] = np.arange(values.size)
    return found.reshape(values.shape)


def replacement_curve(
    score: Callable[[Images], Float[Array | np.ndarray, " batch"]],
    start: Image,
    end: Image,
    attribution: Map,
    steps: int,
    batch_size: int,
) -> Float[np.ndarray, " point"]:
    """The score when shares 0, 1/steps, ..., 1 of the pixels are those of `end`, best first.

    Deletion goes from the image to a baseline, insertion from a blurred image to the image; the
    score is a probability. Raises ValueError for no steps.

    Petsiuk et al., "RISE: randomized input sampling for explanation of black-box models", 2018.
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
    """Under the curve over shares from 0 to 1, by trapezia; 1 for a score of 1 throughout."""
    return float((curve[1:] + curve[:-1]).mean() / 2.0)


def blurred(image: Image, factor: int) -> Image:
    """Reduced `factor` times, each pixel a mean, and enlarged again: no detail is left."""
    height, width, channel = image.shape
    small = (max(1, height // factor), max(1, width // factor), channel)
    reduced = jax.image.resize(jnp.asarray(image), small, "linear", antialias=True)
    return jax.image.resize(reduced, image.shape, "linear")
