"""Which blocks of a deep network take part in a step: stochastic depth with linear decay.

Huang et al., "Deep networks with stochastic depth", 2016, section 3.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Key


def linear_decay(num_blocks: int, final_survival: float) -> tuple[float, ...]:
    """p_l = 1 - (l/L)(1 - p_L) for l = 1 ... L: equation 4.

    Raises ValueError where `final_survival` is not in (0, 1] or there is no block.
    """
    if num_blocks < 1:
        raise ValueError(f"num_blocks is {num_blocks}: at least 1 is needed")
    if not 0.0 < final_survival <= 1.0:
        raise ValueError(f"final_survival is {final_survival}; allowed: above 0, up to 1")
    return tuple(
        1.0 - block / num_blocks * (1.0 - final_survival) for block in range(1, num_blocks + 1)
    )


def expected_depth(survival: Sequence[float]) -> float:
    """The mean number of blocks in a step, sum of p_l: (3L - 1)/4 where p_L is 1/2."""
    return sum(survival)


def sample_depth(key: Key[Array, ""], survival: Sequence[float]) -> Bool[Array, " block"]:
    """Whether each block takes part, drawn once for a whole mini-batch: block l with chance p_l."""
    return jax.random.bernoulli(key, jnp.asarray(survival, jnp.float32))
