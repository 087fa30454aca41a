"""Measures what a linear classifier can read from the features of a discriminator."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lecture_models.data.dataset import Dataset
from lecture_models.experiment import Evaluation
from lecture_models.metrics.classification import batched_apply
from lecture_models.metrics.linear_probe import chosen_svm_error

Maps = Float[Array, "image height width channel"]
State = Any

GRID = 4  # Maps are reduced to so many places a side: Radford et al., 2016, section 5.1.
VALIDATION = 1_000  # Images on which the penalty is chosen.


def pooled_features(activations: dict[str, Maps]) -> Float[Array, "image feature"]:
    """Reduces the maps of all layers to 4x4 places by their maxima, and joins them.

    Args:
        activations: the maps by layer.

    Returns:
        The features. Radford et al., 2016, section 5.1.
    """
    return jnp.concatenate([_pooled(maps) for maps in activations.values()], axis=1)


def _pooled(maps: Maps) -> Float[Array, "image feature"]:
    batch, height, width, channels = maps.shape
    borders = [(0, -size % min(GRID, size)) for size in (height, width)]
    maps = jnp.pad(maps, ((0, 0), *borders, (0, 0)), constant_values=-jnp.inf)
    rows, columns = min(GRID, height), min(GRID, width)
    cells = maps.reshape(batch, rows, maps.shape[1] // rows, columns, -1, channels)
    return cells.max((2, 4)).reshape(batch, -1)


def feature_evaluation(
    activations: Callable[[State, Maps], dict[str, Maps]], dataset: Dataset, count: int
) -> Callable[[State], Evaluation]:
    """Returns a function that trains linear support vector machines on a few labeled images.

    Args:
        activations: maps a state and images to the discriminator's maps by layer, in evaluation
            mode; it is jitted here.
        dataset: labeled images.
        count: the number of labeled training images.

    Returns:
        A function of the state. It returns `svm_error`, the share of test images that a machine on
        the discriminator's features gets wrong, and `pixel_svm_error`, that of one on pixels. It
        returns {} where the labeled training images are all of one class.
    """
    parts = (
        dataset.train.select(slice(count)),
        dataset.validation.select(slice(VALIDATION)),
        dataset.test,
    )
    labels = [np.asarray(part.labels) for part in parts]
    if len(np.unique(labels[0])) < 2:
        return lambda state: {}
    apply = jax.jit(lambda state, images: pooled_features(activations(state, images)))

    def error(features: list[np.ndarray]) -> float:
        pairs = [pair for both in zip(features, labels, strict=True) for pair in both]
        return chosen_svm_error(*pairs)

    @functools.cache
    def of_pixels() -> float:
        return error([np.asarray(part.images).reshape(len(part.images), -1) for part in parts])

    def evaluate(state) -> Evaluation:
        features = [
            np.asarray(
                batched_apply(
                    functools.partial(apply, state), part.images, min(500, len(part.images))
                )
            )
            for part in parts
        ]
        return {"svm_error": error(features), "pixel_svm_error": of_pixels()}

    return evaluate
