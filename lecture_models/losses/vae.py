"""Computes bounds on log p(x) from importance weights, in nats."""

import math

import jax
from jaxtyping import Array, Float


def importance_weighted_elbo(log_weights: Float[Array, "sample ..."]) -> Float[Array, "..."]:
    """Returns the importance-weighted evidence lower bound L_k over the k samples.

    L_k = log (1/k) sum_i w_i, w_i = p(x, z_i) / q(z_i | x), z_i drawn from q(z | x)

    Args:
        log_weights: the logarithms of the weights w_i in nats, the k samples on the first axis.

    Returns:
        The bound in nats, higher is better: its expectation is at most log p(x) and grows with k.
        One sample gives the ELBO; equal weights give their logarithm. Burda et al., 2016, Eq. 8.
    """
    return jax.nn.logsumexp(log_weights, axis=0) - math.log(len(log_weights))
