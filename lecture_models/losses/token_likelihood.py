"""Measures how surprising tokens are: one value for each token, from logits."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


def smoothed_nats(
    logits: Float[Array, "batch time token"],
    targets: Int[Array, "batch time"],
    smoothing: float = 0.0,
) -> tuple[Float[Array, "batch time"], Float[Array, "batch time"]]:
    """Returns -ln p of each target, and its cross entropy with a smoothed target.

    nats = log sum_k exp(a_k) - a_y,  smoothed = (1 - s) nats + s mean_k(-ln p_k)

    Args:
        logits: the logits a.
        targets: the tokens y.
        smoothing: the share s of each target that is spread evenly over all tokens: Szegedy et al.,
            2016, section 7.

    Returns:
        Both in nats, lower is better; both are ln K for K equal logits, and equal for s = 0.
    """
    normalizer = jax.nn.logsumexp(logits, axis=-1)
    nats = normalizer - jnp.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    spread = normalizer - logits.mean(axis=-1)
    return nats, (1.0 - smoothing) * nats + smoothing * spread
