"""Estimates the likelihood of a latent-variable model by importance sampling."""

import functools
from collections.abc import Callable, Iterator

import jax
import numpy as np
from jaxtyping import Array, Float, Key

from lecture_models.losses.vae import importance_weighted_elbo

LogWeights = Callable[[Array, Key[Array, ""]], Float[Array, "sample image"]]
IMAGES_PER_CALL = 20


def importance_weighted_elbos(
    log_weights: LogWeights,
    images: Float[np.ndarray, "image height width channel"],
    key: Key[Array, ""],
    num_samples: int,
    sizes: tuple[int, ...],
) -> dict[int, Float[np.ndarray, " image"]]:
    """Returns the importance-weighted ELBO L_k of every image, for several k.

    For k below `num_samples`, L_k is the mean over num_samples // k groups of samples, so that
    all k use the same samples. With k = 5,000 it is the usual estimate of log p(x).

    Args:
        log_weights: maps (images, key) to the log importance weights, in nats, of a few samples
            for each of a few images. Jit it: all calls but the last have the same shape.
        images: the images.
        key: the key of the samples.
        num_samples: the number of samples for each image. Memory does not grow with the number of
            images.
        sizes: the values of k.

    Returns:
        By k, one value per image in nats, higher is better. Burda et al., 2016, section 5;
        Rezende et al., 2014, section 5.

    Raises:
        ValueError: a k is outside 1 to `num_samples`.
    """
    if not all(1 <= size <= num_samples for size in sizes):
        raise ValueError(
            f"sizes are {sizes}; with {num_samples} samples they must be from 1 to {num_samples}"
        )
    elbos: dict[int, list[np.ndarray]] = {size: [] for size in sizes}
    for first in range(0, len(images), IMAGES_PER_CALL):
        block = jax.numpy.asarray(images[first : first + IMAGES_PER_CALL])
        weights = _gather(log_weights, block, jax.random.fold_in(key, first), num_samples)
        for size, blocks in elbos.items():
            blocks.append(np.asarray(_mean_elbo(weights, size)))
    return {size: np.concatenate(blocks) for size, blocks in elbos.items()}


@functools.partial(jax.jit, static_argnames="size")
def _mean_elbo(weights: Float[Array, "sample image"], size: int) -> Float[Array, " image"]:
    """Averages L_k over as many whole groups of k = `size` samples as there are."""
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
