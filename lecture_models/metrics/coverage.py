"""How many classes a generator's samples reach, as a classifier sees them."""

import jax
import numpy as np
from jaxtyping import Array, Float, Int


def class_counts(logits: Float[Array | np.ndarray, "example class"]) -> Int[np.ndarray, " class"]:
    """How many examples a classifier gives to each class, by the largest logit.

    Raises ValueError for logits that are not finite, whose largest would mean nothing.
    """
    values = _finite(logits)
    return np.bincount(values.argmax(axis=-1), minlength=values.shape[-1])


def modes_covered(
    logits: Float[Array | np.ndarray, "example class"],
    minimum_share: float = 0.01,
    minimum_confidence: float = 0.5,
) -> int:
    """Number of classes to which the classifier gives, with confidence, enough of the samples.

    A class is covered when at least `minimum_share` of all samples have it as their prediction
    with a probability of at least `minimum_confidence`.

    1%, with ten classes, is a tenth of a balanced class's share, and above what the mistakes of a
    classifier that is 98% right bring a class that is never generated (2% spread over them all);
    Metz et al. (2017) count a mode from its first sample, which one mistake passes. One half is
    where a class outweighs all others together: without it pictures of noise, which a classifier
    must give to some class, cover several.

    Raises ValueError for no samples, logits that are not finite, or a bound not in (0, 1].
    """
    for name, bound in (("share", minimum_share), ("confidence", minimum_confidence)):
        if not 0.0 < bound <= 1.0:
            raise ValueError(f"minimum_{name} is {bound}; it must be above 0 and at most 1")
    values = _finite(logits)
    confident = values[_confidences(values) >= minimum_confidence]
    # A quotient is rounded as the decimal in the source is: 7 of 100 is 0.07, and is covered.
    return int((class_counts(confident) / len(values) >= minimum_share).sum())


def class_divergence(
    counts: Int[np.ndarray, " class"],
    reference_counts: Int[np.ndarray, " reference_class"] | None = None,
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
    if len(p) != len(q):
        raise ValueError(f"{len(p)} classes of samples and {len(q)} of data; they must be as many")
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
    broken = int((~np.isfinite(values)).any(axis=-1).sum())
    if broken:
        raise ValueError(f"logits must be finite; those of {broken} of {len(values)} are not")
    return values


def _confidences(logits: Float[np.ndarray, "example class"]) -> Float[np.ndarray, " example"]:
    if len(logits) == 0:
        raise ValueError("there must be at least 1 sample; there are 0")
    return np.asarray(jax.nn.softmax(logits, axis=-1).max(axis=-1))
