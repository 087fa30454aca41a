"""A function over more images than fit in memory at once, errors, and the confusion matrix."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Float64, Int, Int64

Logits = Float[Array | np.ndarray, "image class"]
Labels = Int[Array | np.ndarray, " label"]


def batched_apply(
    function: Callable[[Array], Any],
    images: Float[Array | np.ndarray, "image height width channel"],
    batch_size: int,
) -> Any:
    """The function's results for all images, as NumPy arrays, from batches of one size.

    The last batch is filled up with copies of its last image, whose results are dropped: so a
    jitted function is compiled once. The function must treat each image by itself (batch
    statistics held fixed) and return a pytree of arrays with the images along the first axis.

    Raises ValueError where there are no images or the batch size is below 1.
    """
    if len(images) == 0 or batch_size < 1:
        raise ValueError(
            f"{len(images)} images in batches of {batch_size}: both must be at least 1"
        )
    results = []
    for first in range(0, len(images), batch_size):
        batch = np.asarray(images[first : first + batch_size])
        count = len(batch)
        padded = np.pad(batch, ((0, batch_size - count), (0, 0), (0, 0), (0, 0)), mode="edge")
        output = function(jax.numpy.asarray(padded))
        results.append(jax.tree.map(lambda array, count=count: np.asarray(array)[:count], output))
    return jax.tree.map(lambda *arrays: np.concatenate(arrays), *results)


def in_top(logits: Logits, labels: Labels, k: int) -> Bool[np.ndarray, " image"]:
    """Whether fewer than k classes have a larger logit than the label.

    Of equal logits the class with the lower index is ahead, as in argmax.

    Raises ValueError where k is below 1, or the labels are not as many or not of the classes.
    """
    logits, labels = np.asarray(logits), np.asarray(labels)
    if k < 1:
        raise ValueError(f"k is {k}; it must be at least 1")
    _require_classes(labels, len(logits), logits.shape[1])
    own = np.take_along_axis(logits, labels[:, None], axis=1)
    earlier = np.arange(logits.shape[1])[None, :] < labels[:, None]
    ahead = (logits > own) | ((logits == own) & earlier)
    return ahead.sum(axis=1) < k


def error_percent(logits: Logits, labels: Labels, k: int = 1) -> float:
    """How many of 100 images have no place for their label among the k largest logits."""
    return 100.0 * float(1.0 - in_top(logits, labels, k).mean())


def confusion_matrix(
    labels: Labels, predictions: Int[Array | np.ndarray, " prediction"], num_classes: int
) -> Int64[np.ndarray, "{num_classes} {num_classes}"]:
    """How many images of each class (row) were given each class (column).

    Raises ValueError where either is not of the classes, or their numbers differ.
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    _require_classes(labels, len(predictions), num_classes)
    _require_classes(predictions, len(labels), num_classes)
    cells = labels.astype(np.int64) * num_classes + predictions
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def per_class_accuracy(
    confusion: Int64[np.ndarray, "class class"],
) -> Float64[np.ndarray, " class"]:
    """The fraction of each class's images that were given it; NaN for a class without images."""
    counts = confusion.sum(axis=1)
    found = np.diagonal(confusion)
    return np.divide(found, counts, out=np.full(len(counts), np.nan), where=counts > 0)


def _require_classes(labels: np.ndarray, count: int, num_classes: int) -> None:
    if len(labels) != count or count == 0:
        raise ValueError(f"{len(labels)} labels for {count} images; one each, and 1 or more")
    if labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError(
            f"labels are from {labels.min()} to {labels.max()}; with {num_classes} classes they "
            f"must be from 0 to {num_classes - 1}"
        )
