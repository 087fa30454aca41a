"""Computes the losses of a single-shot detector, one value for each picture."""

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

PAPER_ALPHA, PAPER_GAMMA = 0.25, 2.0


def focal_loss(
    logits: Float[Array, "batch anchor class"],
    labels: Int[Array, "batch anchor"],
    weights: Float[Array, "batch anchor"],
    background: Float[Array, "batch anchor"],
    alpha: float = PAPER_ALPHA,
    gamma: float = PAPER_GAMMA,
) -> Float[Array, " batch"]:
    """Returns the cross-entropy in which what is easy counts little.

    - sum a (1 - p)^gamma ln p, where p is the probability of what is true, and a is alpha for
    classes that are present and 1 - alpha for those that are not

    Args:
        logits: the log-odds of each class at each anchor.
        labels: the class of each anchor; -1 for background.
        weights: how much each anchor that is for an object counts; 0 for the others.
        background: how much each anchor counts that is for none; 0 for the others. With weights of
            1 this is the paper's loss.
        alpha: the weight of what is present.
        gamma: how much less what is easy counts; 0 gives a weighted cross-entropy.

    Returns:
        One value per picture, in nats: the weighted mean over anchors that are for an object, plus
        the sum over the background divided by their number. A single anchor of one class with
        logit 0 loses alpha ln(2) / 4. Lin et al., 2017, equation 5 and section 4.
    """
    classes = logits.shape[-1]
    targets = jax.nn.one_hot(labels, classes, dtype=logits.dtype)  # All 0 for -1.
    nats = optax.sigmoid_binary_cross_entropy(logits, targets)
    wrong = jnp.abs(targets - jax.nn.sigmoid(logits))
    shares = alpha * targets + (1.0 - alpha) * (1.0 - targets)
    losses = (shares * wrong**gamma * nats).sum(axis=2)
    positives = jnp.maximum((labels >= 0).sum(axis=1), 1)
    return weighted_mean(losses, weights) + (losses * background).sum(axis=1) / positives


def box_loss(
    overlaps: Float[Array, "batch anchor"], weights: Float[Array, "batch anchor"]
) -> Float[Array, " batch"]:
    """Returns 1 - GIoU, as a weighted mean over the anchors that are for an object.

    Args:
        overlaps: the generalized intersection over union of each anchor's predicted box with the
            box of its object; any where there is none.
        weights: how much each anchor counts; 0 for those that are for no object.

    Returns:
        One value per picture, from 0 to 2; 0 for a picture without objects. Rezatofighi et al.,
        2019.
    """
    return weighted_mean(1.0 - overlaps, weights)


def weighted_mean(
    values: Float[Array, "batch anchor"], weights: Float[Array, "batch anchor"]
) -> Float[Array, " batch"]:
    """Returns the mean of each row; 0 where all weights are 0.

    Args:
        values: the values; those without a weight may be any.
        weights: their weights, at least 0.

    Returns:
        One mean per row.
    """
    total = weights.sum(axis=1)
    counted = jnp.where(weights > 0.0, values * weights, 0.0).sum(axis=1)
    return counted / jnp.where(total > 0.0, total, 1.0)
