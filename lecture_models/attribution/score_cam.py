"""Computes Score-CAM: feature maps weighted by the score of the image seen through each of them.

Wang et al., 2020, Score-CAM: score-weighted visual explanations for convolutional neural networks,
algorithm 1.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lecture_models.attribution.class_activation import enlarged

Image = Float[Array | np.ndarray, "height width channel"]
Features = Float[Array | np.ndarray, "row column feature"]
MaskedScore = Callable[[Float[np.ndarray, "batch row column"]], Float[Array | np.ndarray, " batch"]]


def masked(
    image: Image, maps: Float[Array, "batch row column"]
) -> Float[Array, "batch height width channel"]:
    """Returns an image seen through maps: M X, where M is a map enlarged and scaled to [0, 1].

    Equations 5 and 6 of the paper, with M = (A - min A) / (max A - min A); a constant map becomes
    0. What M hides becomes 0, which is mid-gray for images in [-1, 1].

    Args:
        image: the image X, (height, width, channel).
        maps: one map A per result, at the resolution of a layer.

    Returns:
        One image per map.
    """
    height, width, _ = image.shape
    masks = enlarged(maps, height, width)
    low = masks.min(axis=(1, 2), keepdims=True)
    span = masks.max(axis=(1, 2), keepdims=True) - low
    masks = (masks - low) / jnp.where(span > 0.0, span, 1.0)
    return masks[..., None] * jnp.asarray(image)[None]


def score_cam(
    score: MaskedScore, features: Features, batch_size: int, num_features: int = 0
) -> Float[np.ndarray, "row column"]:
    """Returns the Score-CAM map of one image, at the resolution of the layer.

    max(sum over k of alpha_k A_k, 0), where alpha is the softmax over the features k of the score
    S(M_k X) of the image seen through each map. The paper subtracts the score of a baseline image
    from each, which does not change the softmax. Constant maps hide everything or nothing, so they
    do not take part.

    Args:
        score: computes the class score of the image seen through each of some maps; see `masked`.
        features: feature maps A of a layer, (row, column, feature).
        batch_size: number of maps per call of `score`; the last batch is filled up.
        num_features: number of features that take part, those with the largest variance over
            positions; 0 for all.

    Returns:
        The map, at least 0; higher where there is more evidence for the class. All maps count the
        same if the score does not depend on the image.

    Raises:
        ValueError: if `batch_size` is below 1 or `num_features` below 0.
    """
    if batch_size < 1 or num_features < 0:
        raise ValueError(
            f"batch_size is {batch_size} and num_features {num_features}; they must be at least 1 "
            "and 0"
        )
    values = np.asarray(features)
    chosen = _most_varied(values, num_features)
    if len(chosen) == 0:
        return np.zeros(values.shape[:2], np.float32)
    maps = np.moveaxis(values[..., chosen], -1, 0)
    scores = []
    for first in range(0, len(maps), batch_size):
        index = np.minimum(np.arange(first, first + batch_size), len(maps) - 1)
        scores.append(np.asarray(score(maps[index]))[: len(maps) - first])
    weights = np.asarray(jax.nn.softmax(jnp.asarray(np.concatenate(scores))))
    return np.maximum(np.tensordot(weights, maps, axes=1), 0.0)


def _most_varied(features: Features, count: int) -> Int[np.ndarray, " chosen"]:
    """Returns the features that vary over positions, those of the largest variance if limited."""
    variances = features.var(axis=(0, 1), dtype=np.float64)
    order = np.argsort(-variances, kind="stable")
    varied = order[np.ptp(features, axis=(0, 1))[order] > 0.0]
    return varied[:count] if count else varied
