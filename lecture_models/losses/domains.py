"""Computes the losses of telling domains apart, and the strength of the adversary."""

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

DomainLogits = Float[Array, " batch"]


def domain_loss(source: DomainLogits, target: DomainLogits) -> Float[Array, ""]:
    """Returns the mean binary cross-entropy of telling the domains apart, in nats.

    Args:
        source: logits of the target domain, of source images.
        target: likewise, of target images.

    Returns:
        The mean over both domains, which count alike: ln 2 where they cannot be told apart.
    """
    of_source = optax.sigmoid_binary_cross_entropy(source, jnp.zeros_like(source)).mean()
    of_target = optax.sigmoid_binary_cross_entropy(target, jnp.ones_like(target)).mean()
    return 0.5 * (of_source + of_target)


def reversal_strength(progress: Float[Array, ""], steepness: float = 10.0) -> Float[Array, ""]:
    """Returns lambda = 2 / (1 + exp(-gamma p)) - 1, which rises from 0 to almost 1.

    Args:
        progress: the share p of the training that is done, from 0 to 1.
        steepness: gamma; 10 in Ganin et al., 2016, section 5.2.2.

    Returns:
        The factor of the reversed gradient.
    """
    return 2.0 / (1.0 + jnp.exp(-steepness * progress)) - 1.0
