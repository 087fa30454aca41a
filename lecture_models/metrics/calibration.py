"""Whether a classifier is as often right as it is sure."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Float64, Int, Int64

BINS = 15  # As Guo et al., 2017, section 5.


class Reliability(NamedTuple):
    """Images in bins of equal width by their confidence, the probability of the class given.

    `confidence` and `accuracy` are means of a bin's images, NaN where it has none.
    """

    confidence: Float64[np.ndarray, " bin"]
    accuracy: Float64[np.ndarray, " bin"]
    count: Int64[np.ndarray, " bin"]


def reliability(
    logits: Float[Array | np.ndarray, "image class"],
    labels: Int[Array | np.ndarray, " label"],
    bins: int = BINS,
) -> Reliability:
    """Of softmax probabilities; bin m of M holds confidences in ((m - 1)/M, m/M].

    Guo et al., "On calibration of modern neural networks", 2017, section 2. Raises ValueError
    where there are no images, not as many labels, or no bins.
    """
    logits, labels = np.asarray(logits, np.float64), np.asarray(labels)
    if len(labels) != len(logits) or len(labels) == 0 or bins < 1:
        raise ValueError(
            f"{len(logits)} images, {len(labels)} labels and {bins} bins: as many of the first "
            "two, and at least 1 of each"
        )
    # The largest of exp(l) / sum exp(l): its own term is exp(0).
    confidence = 1.0 / np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1)
    right = logits.argmax(axis=1) == labels
    member = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    count = np.bincount(member, minlength=bins)

    def mean(values):
        sums = np.bincount(member, weights=values, minlength=bins)
        return np.divide(sums, count, out=np.full(bins, np.nan), where=count > 0)

    return Reliability(mean(confidence), mean(right), count)


def expected_calibration_error(found: Reliability) -> float:
    """sum over bins of count/n |accuracy - confidence|, from 0 to 1: Guo et al., 2017, Eq. 3."""
    gaps = np.nan_to_num(np.abs(found.accuracy - found.confidence))
    return float((found.count * gaps).sum() / found.count.sum())
