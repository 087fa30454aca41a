"""Measures whether a classifier is right as often as its confidence says."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Float64, Int, Int64

BINS = 15  # Guo et al., 2017, section 5.


class Reliability(NamedTuple):
    """Holds statistics of images in bins of equal width by confidence.

    An image's confidence is the probability of its predicted class.

    Attributes:
        confidence: the mean confidence in each bin, from 0 to 1; NaN for an empty bin.
        accuracy: the share of correct predictions in each bin; NaN for an empty bin.
        count: the number of images in each bin.
    """

    confidence: Float64[np.ndarray, " bin"]
    accuracy: Float64[np.ndarray, " bin"]
    count: Int64[np.ndarray, " bin"]


def reliability(
    logits: Float[Array | np.ndarray, "image class"],
    labels: Int[Array | np.ndarray, " label"],
    bins: int = BINS,
) -> Reliability:
    """Sorts images into bins by the confidence of softmax, and averages within the bins.

    Bin m of M holds confidences in ((m - 1)/M, m/M].

    Args:
        logits: one row of logits per image.
        labels: the indices of the true classes.
        bins: the number M of bins.

    Returns:
        The statistics of the bins. Guo et al., "On calibration of modern neural networks", 2017,
        section 2.

    Raises:
        ValueError: there are no images or no bins, or the number of labels is not the number of
            images.
    """
    logits, labels = np.asarray(logits, np.float64), np.asarray(labels)
    if len(labels) != len(logits) or len(labels) == 0 or bins < 1:
        raise ValueError(
            f"there are {len(logits)} images, {len(labels)} labels and {bins} bins; there must be "
            "one label per image, and at least one image and one bin"
        )
    # The largest of exp(l) / sum exp(l): its own term is exp(0).
    confidence = 1.0 / np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1)
    correct = logits.argmax(axis=1) == labels
    member = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    count = np.bincount(member, minlength=bins)

    def mean(values):
        sums = np.bincount(member, weights=values, minlength=bins)
        return np.divide(sums, count, out=np.full(bins, np.nan), where=count > 0)

    return Reliability(mean(confidence), mean(correct), count)


def expected_calibration_error(bins: Reliability) -> float:
    """Returns the mean gap between accuracy and confidence.

    sum over bins of (count / n) |accuracy - confidence|

    Args:
        bins: the statistics of the bins.

    Returns:
        A value from 0 to 1, lower is better. Guo et al., 2017, Eq. 3.
    """
    gaps = np.nan_to_num(np.abs(bins.accuracy - bins.confidence))
    return float((bins.count * gaps).sum() / bins.count.sum())
