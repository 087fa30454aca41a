"""Draws which blocks of a deep network take part in a step: stochastic depth with linear decay.

Huang et al., "Deep networks with stochastic depth", 2016, section 3.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Key


def linear_decay(num_blocks: int, final_survival: float) -> tuple[float, ...]:
    """Returns the probability of each block to take part in a step, which decays with depth.

    p_l = 1 - (l/L)(1 - p_L), l = 1 ... L

    Args:
        num_blocks: the number of blocks L.
        final_survival: the probability p_L of the last block, above 0 and at most 1.

    Returns:
        One probability per block, from the first to the last. Huang et al., 2016, equation 4.

    Raises:
        ValueError: `final_survival` is not in (0, 1], or there is no block.
    """
    if num_blocks < 1:
        raise ValueError(f"num_blocks is {num_blocks}; it must be at least 1")
    if not 0.0 < final_survival <= 1.0:
        raise ValueError(f"final_survival is {final_survival}; it must be above 0 and at most 1")
    return tuple(
        1.0 - block / num_blocks * (1.0 - final_survival) for block in range(1, num_blocks + 1)
    )


def expected_depth(survival: Sequence[float]) -> float:
    """Returns the mean number of blocks that take part in a step.

    sum over l of p_l

    Args:
        survival: the probability of each block, as from `linear_decay`.

    Returns:
        The number of blocks; (3L - 1)/4 if p_L is 1/2. Huang et al., 2016, section 3.
    """
    return sum(survival)


def sample_depth(key: Key[Array, ""], survival: Sequence[float]) -> Bool[Array, " block"]:
    """Draws whether each block takes part in a step, once for a whole mini-batch.

    Args:
        key: a random key.
        survival: the probability p_l of each block, as from `linear_decay`.

    Returns:
        True for blocks that take part.
    """
    return jax.random.bernoulli(key, jnp.asarray(survival, jnp.float32))
