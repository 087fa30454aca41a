"""How many classes a generator's samples reach, as a classifier sees them."""

import jax
import numpy as np
from jaxtyping import Array, Float, Int


def class_counts(logits: Float[Array | np.ndarray, "example class"]) -> Int[np.ndarray, "class"]:
    """How many examples a classifier gives to each class, by the largest logit.

    Raises ValueError for logits that are not finite, whose largest would mean nothing.
    """
    values = np.asarray(logits)
    broken = int((~np.isfinite(values)).any(axis=-1).sum())
    if broken:
        raise ValueError(f"logits must be finite; those of {broken} of {len(values)} are not")
    return np.bincount(values.argmax(axis=-1), minlength=values.shape[-1])


def mean_confidence(logits: Float[Array | np.ndarray, "example class"]) -> float:
    """Mean probability of the predicted class, from 1/classes to 1.

    To be read beside `modes_covered`: a classifier gives every picture to some class, noise too.
    """
    return float(jax.nn.softmax(logits, axis=-1).max(axis=-1).mean())


def modes_covered(counts: Int[np.ndarray, "class"], minimum_share: float = 0.01) -> int:
    """Number of classes that receive at least `minimum_share` of the samples.

    With ten classes, 1% is a tenth of a balanced class's share, and above what the mistakes of a
    classifier that is 98% right would bring a class that is never generated (the 2% spread over
    all classes). Metz et al. (2017) count a mode from its first sample, which a single mistake
    passes.

    Raises ValueError where there are no samples or the share is not in (0, 1].
    """
    if not 0.0 < minimum_share <= 1.0:
        raise ValueError(f"minimum_share is {minimum_share}; it must be above 0 and at most 1")
    # A quotient is rounded as the decimal in the source is: 7 of 100 is 0.07, and is covered.
    return int((_shares(counts, "samples") >= minimum_share).sum())


def class_divergence(
    counts: Int[np.ndarray, "class"], reference_counts: Int[np.ndarray, "class"] | None = None
) -> float:
    """KL divergence in nats of the samples' classes p from the data's q: sum_k p_k log(p_k / q_k).

    Without `reference_counts`, q is uniform. 0 for the same shares, log K for one of K uniform
    classes, infinite where the samples have a class that the data does not.

    Raises ValueError where there are no samples or no data, or the numbers of classes differ.
    Srivastava et al., "VEEGAN: reducing mode collapse in GANs", 2017, use it for stacked MNIST.
    """
    p = _shares(counts, "samples")
    if reference_counts is None:
        reference_counts = np.ones(len(counts), dtype=int)
    q = _shares(reference_counts, "data")
    present = p > 0  # 0 log 0 = 0.
    if (q[present] == 0).any():
        return float("inf")
    return float((p[present] * np.log(p[present] / q[present])).sum())


def _shares(counts: Int[np.ndarray, "class"], name: str) -> Float[np.ndarray, "class"]:
    total = counts.sum()
    if total < 1:
        raise ValueError(f"class counts of the {name} are all 0; there must be at least 1")
    return counts / total
