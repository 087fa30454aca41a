"""Computes attributions from the gradient of a score with respect to the image.

A score function takes images and returns one number per image, which depends on that image only. A
gradient function takes images and returns dS/dx of each. Methods that average many gradients call a
jitted gradient function batch by batch in a Python loop, so they need the memory of one batch.
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
    """Returns the function that computes the gradient dS/dx of each image's score.

    Args:
        score: computes one score per image.

    Returns:
        The gradient function; it is not jitted.
    """
    return jax.grad(lambda images: score(images).sum())


def magnitude(gradients: Images) -> Maps:
    """Returns the largest absolute value over the channels of each pixel.

    max over channels c of |dS/dx_c|: for a gradient, the saliency map of Simonyan et al., 2014,
    Deep inside convolutional networks, section 3.1.

    Args:
        gradients: gradients dS/dx, (batch, height, width, channel).

    Returns:
        The maps, at least 0; higher where a pixel matters more.
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
    """Returns SmoothGrad: the mean gradient over copies of the image with Gaussian noise.

    Smilkov et al., 2017, SmoothGrad: removing noise by adding noise, section 3.

    Args:
        gradient: the gradient function.
        image: the image, (height, width, channel).
        key: random key of the noise.
        samples: number of noisy copies.
        noise: standard deviation of the noise, in units of pixel values.
        batch_size: number of images per call of `gradient`; the noise does not depend on it.

    Returns:
        The mean gradient, of the shape of the image.

    Raises:
        ValueError: if `samples` or `batch_size` is below 1.
    """

    def noisy(indices):
        return np.asarray(image)[None] + noise * np.asarray(_noise(key, indices, image.shape))

    return _mean_gradient(gradient, noisy, samples, batch_size)


def integrated_gradients(
    gradient: Gradient, image: Image, baseline: Image, steps: int, batch_size: int
) -> Image:
    """Returns integrated gradients: attributions that add up to the change of the score.

    (x - x') times the mean gradient on the straight line from the baseline x' to the image x, by
    the midpoint rule. The sum over pixels and channels is S(x) - S(x'), up to the error of that
    rule. Sundararajan et al., 2017, Axiomatic attribution for deep networks, equation 1.

    Args:
        gradient: the gradient function.
        image: the image x, (height, width, channel).
        baseline: the baseline x', of the same shape.
        steps: number of points on the line.
        batch_size: number of images per call of `gradient`.

    Returns:
        The attribution of each value of the image; positive where it raises the score.

    Raises:
        ValueError: if `steps` or `batch_size` is below 1.
    """
    start, difference = np.asarray(baseline), np.asarray(image) - np.asarray(baseline)

    def between(indices):
        shares = ((indices + 0.5) / steps).reshape(-1, 1, 1, 1)
        return start[None] + shares * difference[None]

    return difference * _mean_gradient(gradient, between, steps, batch_size)


def convergence_delta(
    attributions: Images | Maps | Float[np.ndarray, "batch height width"],
    scores: Float[Array | np.ndarray, " batch"],
    baseline_scores: Float[Array | np.ndarray, " batch"],
) -> Float[np.ndarray, " batch"]:
    """Returns by how much integrated gradients miss their sum, in percent of what it should be.

    100 (sum of attributions - (S(x) - S(x'))) / |S(x) - S(x')|. Sundararajan et al., 2017, section
    5, advise to take more steps until it is within 5.

    Args:
        attributions: the attributions of each image, or their sums over channels.
        scores: the scores S(x) of the images.
        baseline_scores: the scores S(x') of their baselines.

    Returns:
        The difference of each image in percent, 0 for a perfect integral; infinite, or NaN, if the
        two scores are equal.
    """
    difference = np.asarray(scores, np.float64) - np.asarray(baseline_scores, np.float64)
    total = np.asarray(attributions, np.float64).reshape(len(difference), -1).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return 100.0 * (total - difference) / np.abs(difference)


@functools.partial(jax.jit, static_argnums=2)
def _noise(key, indices, shape):
    # One key per sample, so that the noise does not depend on the batch size.
    sample_keys = jax.vmap(lambda index: jax.random.fold_in(key, index))(indices)
    return jax.vmap(lambda sample_key: jax.random.normal(sample_key, shape))(sample_keys)


def _mean_gradient(
    gradient: Gradient, inputs: Callable[[np.ndarray], np.ndarray], count: int, batch_size: int
) -> Image:
    """Averages the gradients at the inputs of indices 0 to count - 1.

    The last batch is filled up with the last input, so that all batches share one compiled program.
    """
    if count < 1 or batch_size < 1:
        raise ValueError(
            f"{count} gradients in batches of {batch_size}: both numbers must be at least 1"
        )
    sums = []
    for first in range(0, count, batch_size):
        indices = np.minimum(np.arange(first, first + batch_size), count - 1)
        gradients = np.asarray(gradient(jnp.asarray(inputs(indices), jnp.float32)))
        sums.append(gradients[: count - first].sum(axis=0))
    return sum(sums) / np.float32(count)
