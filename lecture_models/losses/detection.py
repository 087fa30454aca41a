"""Computes the losses of a single-shot detector, one value for each picture."""

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int

PAPER_ALPHA, PAPER_GAMMA = 0.25, 2.0


def focal_loss(
    logits: Float[Array, "batch anchor class"],
    labels: Int[Array, "batch anchor"],
    ignored: Bool[Array, "batch anchor"],
    alpha: float = PAPER_ALPHA,
    gamma: float = PAPER_GAMMA,
) -> Float[Array, " batch"]:
    """Returns the cross-entropy in which what is easy counts little.

    - sum a (1 - p)^gamma ln p / number of positive anchors, where p is the probability of what is
    true, and a is alpha for classes that are present and 1 - alpha for those that are not

    Args:
        logits: the log-odds of each class at each anchor.
        labels: the class of each anchor; -1 for background.
        ignored: anchors that do not count.
        alpha: the weight of what is present.
        gamma: how much less what is easy counts; 0 gives a weighted cross-entropy.

    Returns:
        One value per picture, in nats for each positive anchor. A single anchor of one class with
        logit 0 loses alpha ln(2) / 4. Lin et al., 2017, equation 5 and section 4.
    """
    classes = logits.shape[-1]
    targets = jax.nn.one_hot(labels, classes, dtype=logits.dtype)  # All 0 for -1.
    nats = optax.sigmoid_binary_cross_entropy(logits, targets)
    wrong = jnp.abs(targets - jax.nn.sigmoid(logits))
    weights = (alpha * targets + (1.0 - alpha) * (1.0 - targets)) * wrong**gamma
    counted = jnp.where(ignored[..., None], 0.0, weights * nats)
    positives = jnp.maximum((labels >= 0).sum(axis=1), 1)
    return counted.sum(axis=(1, 2)) / positives


def box_loss(
    overlaps: Float[Array, "batch anchor"], positive: Bool[Array, "batch anchor"]
) -> Float[Array, " batch"]:
    """Returns 1 - GIoU, as a mean over the anchors that are for an object.

    Args:
        overlaps: the generalized intersection over union of each anchor's predicted box with the
            box of its object; any where there is none.
        positive: whether the anchor is for an object.

    Returns:
        One value per picture, from 0 to 2; 0 for a picture without objects. Rezatofighi et al.,
        2019.
    """
    losses = jnp.where(positive, 1.0 - overlaps, 0.0)
    return losses.sum(axis=1) / jnp.maximum(positive.sum(axis=1), 1)
