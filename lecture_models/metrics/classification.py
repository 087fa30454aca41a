"""Applies a function to images in batches, and computes errors and the confusion matrix."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Float64, Int, Int64, Shaped

Logits = Float[Array | np.ndarray, "image class"]
Labels = Int[Array | np.ndarray, " label"]


def batched_apply(
    function: Callable[[Array], Any],
    examples: Shaped[Array | np.ndarray, "example ..."],
    batch_size: int,
) -> Any:
    """Applies a function to many examples, in batches of one size.

    The last batch is filled up with copies of its last example, whose results are dropped, so
    that a jitted function is compiled once.

    Args:
        function: maps a batch of examples to a pytree of arrays with the examples on the first
            axis. It must treat each example by itself (batch statistics held fixed).
        examples: images or other arrays of any type, the examples on the first axis.
        batch_size: examples per call.

    Returns:
        The function's results for all examples, as NumPy arrays.

    Raises:
        ValueError: there are no examples, or the batch size is below 1.
    """
    if len(examples) == 0 or batch_size < 1:
        raise ValueError(
            f"{len(examples)} examples in batches of {batch_size}: both must be at least 1"
        )
    results = []
    for first in range(0, len(examples), batch_size):
        batch = np.asarray(examples[first : first + batch_size])
        count = len(batch)
        missing = ((0, batch_size - count), *((0, 0),) * (batch.ndim - 1))
        output = function(jax.numpy.asarray(np.pad(batch, missing, mode="edge")))
        results.append(jax.tree.map(lambda array, count=count: np.asarray(array)[:count], output))
    return jax.tree.map(lambda *arrays: np.concatenate(arrays), *results)


def in_top(logits: Logits, labels: Labels, k: int) -> Bool[np.ndarray, " image"]:
    """Tells for each image whether its label is among the k largest logits.

    Of equal logits the class with the lower index is ahead, as in argmax.

    Args:
        logits: one row of logits per image.
        labels: the indices of the true classes.
        k: how many classes count.

    Returns:
        True where fewer than k classes are ahead of the label.

    Raises:
        ValueError: k is below 1, the number of labels is not the number of images, or a label is
            not the index of a class.
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
    """Returns the top-k error.

    Args:
        logits: one row of logits per image.
        labels: the indices of the true classes.
        k: how many of the largest logits count; 1 is the plain error.

    Returns:
        The percentage of images whose label is not among the k largest logits, lower is better.

    Raises:
        ValueError: as `in_top`.
    """
    return 100.0 * float(1.0 - in_top(logits, labels, k).mean())


def confusion_matrix(
    labels: Labels, predictions: Int[Array | np.ndarray, " prediction"], num_classes: int
) -> Int64[np.ndarray, "{num_classes} {num_classes}"]:
    """Counts the images by their class and by their predicted class.

    Args:
        labels: the indices of the true classes.
        predictions: the indices of the predicted classes.
        num_classes: the number of classes.

    Returns:
        The counts: true classes are rows, predicted classes columns.

    Raises:
        ValueError: there are no images, a class is outside 0 to num_classes - 1, or the numbers of
            labels and of predictions differ.
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    _require_classes(labels, len(predictions), num_classes)
    _require_classes(predictions, len(labels), num_classes)
    cells = labels.astype(np.int64) * num_classes + predictions
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def per_class_accuracy(
    confusion: Int64[np.ndarray, "class class"],
) -> Float64[np.ndarray, " class"]:
    """Returns the accuracy on the images of each class.

    Args:
        confusion: the confusion matrix, true classes in rows.

    Returns:
        The fraction from 0 to 1 of each class's images that were predicted as it; NaN for a class
        without images.
    """
    counts = confusion.sum(axis=1)
    correct = np.diagonal(confusion)
    return np.divide(correct, counts, out=np.full(len(counts), np.nan), where=counts > 0)


def _require_classes(labels: np.ndarray, count: int, num_classes: int) -> None:
    if len(labels) != count or count == 0:
        raise ValueError(
            f"there are {len(labels)} labels for {count} images; there must be one label per "
            "image, and at least one image"
        )
    if labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError(
            f"labels are from {labels.min()} to {labels.max()}; with {num_classes} classes they "
            f"must be from 0 to {num_classes - 1}"
        )
