"""Attribution by the gradient of a score with respect to the image.

A score takes images and gives one number each, in which an image counts for itself alone; a
gradient takes images and gives dS/dx of each. Pass a jitted gradient: what takes many of them
calls it batch by batch in a Python loop, so memory stays that of one batch.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

Images = Float[Array | np.ndarray, "batch height width channel"]
Image = Float[Array | np.ndarray, "height width channel"]
Maps = Float[Array, "batch height width"]
Gradient = Callable[[Images], Images]


def input_gradient(score: Callable[[Images], Float[Array, " batch"]]) -> Gradient:
    """dS/dx of each image by its own score."""
    return jax.grad(lambda images: score(images).sum())


def magnitude(gradients: Images) -> Maps:
    """max over channels of |dS/dx|: the saliency map, where `gradients` are dS/dx.

    Simonyan et al., "Deep inside convolutional networks", 2014, section 3.1.
    """
    return jnp.abs(gradients).max(axis=-1)


def smooth_gradient(
    gradient: Gradient,
    image: Image,
    key: Key[Array, ""],
    samples: int,
    noise: float,
    batch_size: int,
) -> Image:
    """The mean gradient at `samples` images with Gaussian noise of standard deviation `noise`.

    The samples are the same for every batch size. Raises ValueError for no samples.

    Smilkov et al., "SmoothGrad: removing noise by adding noise", 2017, section 3.
    """

    def noisy(indices):
        return np.asarray(image)[None] + noise * np.asarray(_noise(key, indices, image.shape))

    return _mean_gradient(gradient, noisy, samples, batch_size)


def integrated_gradients(
    gradient: Gradient, image: Image, baseline: Image, steps: int, batch_size: int
) -> Image:
    """(x - x') times the mean gradient on the line from the baseline x' to the image x.

    The sum of all attributions is S(x) - S(x'), up to the error of the midpoint rule with `steps`
    points. Raises ValueError for no steps.

    Sundararajan et al., "Axiomatic attribution for deep networks", 2017, equation 1.
    """

    start, way = np.asarray(baseline), np.asarray(image) - np.asarray(baseline)

    def between(indices):
        shares = ((indices + 0.5) / steps).reshape(-1, 1, 1, 1)
        return start[None] + shares * way[None]

    return way * _mean_gradient(gradient, between, steps, batch_size)


@functools.partial(jax.jit, static_argnums=2)
def _noise(key, indices, shape):
    """One key a sample, so that no sample knows its batch."""
    keys = jax.vmap(lambda index: jax.random.fold_in(key, index))(indices)
    return jax.vmap(lambda each: jax.random.normal(each, shape))(keys)


def _mean_gradient(
    gradient: Gradient, inputs: Callable[[np.ndarray], np.ndarray], count: int, batch_size: int
) -> Image:
    """Of the inputs of indices 0 to count - 1; the last batch is filled up with the last index."""
    if count < 1 or batch_size < 1:
        raise ValueError(f"{count} gradients in batches of {batch_size}: both are at least 1")
    sums = []
    for first in range(0, count, batch_size):
        indices = np.minimum(np.arange(first, first + batch_size), count - 1)
        gradients = np.asarray(gradient(jnp.asarray(inputs(indices), jnp.float32)))
        sums.append(gradients[: count - first].sum(axis=0))
    return sum(sums) / np.float32(count)
