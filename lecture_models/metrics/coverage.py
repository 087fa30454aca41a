"""Measures which classes a generator's samples reach, according to a classifier."""

import jax
import numpy as np
from jaxtyping import Array, Float, Int


def class_counts(logits: Float[Array | np.ndarray, "example class"]) -> Int[np.ndarray, " class"]:
    """Counts the examples that a classifier assigns to each class, by the largest logit.

    Args:
        logits: one row of logits per example.

    Returns:
        The number of examples of each class.

    Raises:
        ValueError: a logit is not finite.
    """
    values = _finite(logits)
    return np.bincount(values.argmax(axis=-1), minlength=values.shape[-1])


def modes_covered(
    logits: Float[Array | np.ndarray, "example class"],
    minimum_share: float = 0.01,
    minimum_confidence: float = 0.5,
) -> int:
    """Counts the classes to which a classifier assigns enough of the samples with confidence.

    With ten classes, 1% is a tenth of a balanced class's share. It is more than the mistakes of a
    classifier with 98% accuracy give to a class that is never generated (2% spread over all
    classes); Metz et al. (2017) count a mode from its first sample, for which one mistake is
    enough. At a probability of one half a class outweighs all others together: without this limit
    images of noise, each of which a classifier assigns to some class, would cover several.

    Args:
        logits: one row of logits per sample.
        minimum_share: the share of all samples, above 0 and at most 1, from which on a class is
            covered.
        minimum_confidence: the probability, above 0 and at most 1, from which on a prediction
            counts.

    Returns:
        The number of covered classes, higher is better.

    Raises:
        ValueError: there are no samples, a logit is not finite, or a limit is out of its range.
    """
    for name, limit in (("share", minimum_share), ("confidence", minimum_confidence)):
        if not 0.0 < limit <= 1.0:
            raise ValueError(f"minimum_{name} is {limit}; it must be above 0 and at most 1")
    values = _finite(logits)
    confident = values[_confidences(values) >= minimum_confidence]
    # A quotient is rounded like the decimal in the source: 7 of 100 equals 0.07, and is covered.
    return int((class_counts(confident) / len(values) >= minimum_share).sum())


def class_kl_divergence(
    counts: Int[np.ndarray, " class"],
    reference_counts: Int[np.ndarray, " reference_class"] | None = None,
) -> float:
    """Returns the KL divergence of the samples' classes from those of the data.

    sum_k p_k log(p_k / q_k), with the samples' shares p and the data's shares q

    Args:
        counts: the number of samples of each class.
        reference_counts: the number of examples of each class in the data; None makes q uniform.

    Returns:
        The divergence in nats, lower is better: 0 for the same shares, log K for samples of one of
        K uniform classes, infinite where the samples have a class that the data does not have.
        Srivastava et al., "VEEGAN: reducing mode collapse in GANs", 2017, use it for stacked
        MNIST.

    Raises:
        ValueError: there are no samples or no data, or the numbers of classes differ.
    """
    p = _shares(counts, "samples")
    if reference_counts is None:
        reference_counts = np.ones(len(counts), dtype=int)
    q = _shares(reference_counts, "data")
    if len(p) != len(q):
        raise ValueError(
            f"there are {len(p)} classes of samples and {len(q)} of data; the numbers must be equal"
        )
    present = p > 0  # 0 log 0 = 0.
    if (q[present] == 0).any():
        return float("inf")
    return float((p[present] * np.log(p[present] / q[present])).sum())


def _shares(counts: Int[np.ndarray, " class"], name: str) -> Float[np.ndarray, " class"]:
    total = counts.sum()
    if total < 1:
        raise ValueError(f"class counts of the {name} are all 0; there must be at least 1")
    return counts / total


def _finite(logits: Float[Array | np.ndarray, "example class"]) -> Float[np.ndarray, "_ class"]:
    values = np.asarray(logits)
    not_finite = int((~np.isfinite(values)).any(axis=-1).sum())
    if not_finite:
        raise ValueError(
            f"logits must be finite; those of {not_finite} of {len(values)} examples are not"
        )
    return values


def _confidences(logits: Float[np.ndarray, "example class"]) -> Float[np.ndarray, " example"]:
    if len(logits) == 0:
        raise ValueError("there must be at least 1 sample; there are 0")
    return np.asarray(jax.nn.softmax(logits, axis=-1).max(axis=-1))
