"""Computes losses of masks, one value for each picture."""

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

Logits = Float[Array, "batch height width"]
Masks = Float[Array, "batch mask_height mask_width"]
PerPicture = Float[Array, " batch"]

SMOOTHING = 1.0  # Pixels that are added to both sums, so that two empty masks agree.


def pixel_cross_entropy(logits: Logits, masks: Masks) -> PerPicture:
    """Returns the mean cross-entropy of a picture's pixels, in nats.

    Args:
        logits: the log-odds that a pixel belongs to the object.
        masks: 1 where it does, else 0.

    Returns:
        One mean per picture; ln 2 for logits of 0.

    Raises:
        ValueError: the shapes differ.
    """
    _require_equal(logits, masks)
    return optax.sigmoid_binary_cross_entropy(logits, masks).mean(axis=(1, 2))


def dice_loss(logits: Logits, masks: Masks) -> PerPicture:
    """Returns 1 - Dice, where a pixel counts by its probability.

    1 - (2 sum p m + 1) / (sum p + sum m + 1)

    Args:
        logits: the log-odds that a pixel belongs to the object.
        masks: 1 where it does, else 0.

    Returns:
        One value per picture, 0 for a perfect mask and nearly 1 for one that misses the object.
        Milletari et al., 2016, V-Net, section 3, without the squares.

    Raises:
        ValueError: the shapes differ.
    """
    _require_equal(logits, masks)
    probabilities = jax.nn.sigmoid(logits)
    shared = (probabilities * masks).sum(axis=(1, 2))
    both = probabilities.sum(axis=(1, 2)) + masks.sum(axis=(1, 2))
    return 1.0 - (2.0 * shared + SMOOTHING) / (both + SMOOTHING)


def _require_equal(logits: Array, masks: Array) -> None:
    if jnp.shape(logits) != jnp.shape(masks):
        raise ValueError(
            f"logits have the shape {jnp.shape(logits)} and masks {jnp.shape(masks)}; they must be "
            "equal"
        )
