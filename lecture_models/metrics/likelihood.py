"""The likelihood of a latent-variable model by importance sampling, in bounded memory."""

import functools
from collections.abc import Callable, Iterator

import jax
import numpy as np
from jaxtyping import Array, Float, Key

from lecture_models.losses.vae import importance_weighted_elbo

LogWeights = Callable[[Array, Key[Array, ""]], Float[Array, "sample image"]]
IMAGES_PER_CALL = 20


def importance_bounds(
    log_weights: LogWeights,
    images: Float[np.ndarray, "image height width channel"],
    key: Key[Array, ""],
    num_samples: int,
    sizes: tuple[int, ...],
) -> dict[int, Float[np.ndarray, " image"]]:
    """L_k of every image for each k of `sizes`, in nats, from `num_samples` samples an image.

    `log_weights(images, key)` gives a few samples for a few images (a jitted function: all calls
    but the last have the same shape). For k below `num_samples` the bound is the mean over
    num_samples // k groups, so that all k are judged on the same samples. With k = 5,000 it is
    the usual estimate of log p(x): Burda et al., 2016, section 5; Rezende et al., 2014, section 5.

    Raises ValueError for a k outside 1 to `num_samples`.
    """
    if not all(1 <= size <= num_samples for size in sizes):
        raise ValueError(f"sizes are {sizes}; with {num_samples} samples, 1 to {num_samples}")
    found: dict[int, list[np.ndarray]] = {size: [] for size in sizes}
    for first in range(0, len(images), IMAGES_PER_CALL):
        block = jax.numpy.asarray(images[first : first + IMAGES_PER_CALL])
        weights = _gather(log_weights, block, jax.random.fold_in(key, first), num_samples)
        for size, bounds in found.items():
            bounds.append(np.asarray(_mean_bound(weights, size)))
    return {size: np.concatenate(bounds) for size, bounds in found.items()}


@functools.partial(jax.jit, static_argnames="size")
def _mean_bound(weights: Float[Array, "sample image"], size: int) -> Float[Array, " image"]:
    """Over as many whole groups of `size` samples as there are."""
    groups = weights[: len(weights) // size * size].reshape(-1, size, weights.shape[1])
    return importance_weighted_elbo(groups.swapaxes(0, 1)).mean(0)


def _gather(
    log_weights: LogWeights, block: Array, key: Key[Array, ""], num_samples: int
) -> Float[np.ndarray, "sample image"]:
    def calls() -> Iterator[np.ndarray]:
        count, call = 0, 0
        while count < num_samples:
            weights = np.asarray(log_weights(block, jax.random.fold_in(key, call)))
            count, call = count + len(weights), call + 1
            yield weights

    return np.concatenate(list(calls()))[:num_samples]
