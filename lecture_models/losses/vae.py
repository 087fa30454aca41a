"""Bounds on log p(x) from importance weights, in nats."""

import math

import jax
from jaxtyping import Array, Float


def importance_weighted_elbo(log_weights: Float[Array, "sample ..."]) -> Float[Array, "..."]:
    """log (1/k) sum_i w_i over the k samples of the first axis: L_k of Burda et al., 2016, Eq. 8.

    w = p(x, z) / q(z | x) with z from q. In expectation at most log p(x), and rising with k; equal
    weights give their logarithm.
    """
    return jax.nn.logsumexp(log_weights, axis=0) - math.log(len(log_weights))
