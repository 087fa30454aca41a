"""Batch normalisation whose running statistics can be held still."""

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Float


def batch_norm(
    x: Float[Array, "batch *place channel"],
    training: bool,
    name: str,
    moves: Bool[Array, ""] | None = None,
    dtype: DTypeLike = jnp.float32,
) -> Float[Array, "batch *place channel"]:
    """Batch normalisation as a submodule `name` of the module that calls; use it when compact.

    Momentum 0.9, epsilon 1e-5. Where `moves` is given and false, the running mean and variance stay
    what they were: a path that is dropped by a mask leaves no trace in them.
    """
    norm = nn.BatchNorm(
        use_running_average=not training, momentum=0.9, epsilon=1e-5, dtype=dtype, name=name
    )
    held = (
        moves is not None
        and norm.is_mutable_collection("batch_stats")
        and norm.has_variable("batch_stats", "mean")
    )
    before = {each: norm.get_variable("batch_stats", each) for each in ("mean", "var") if held}
    y = norm(x)
    for each, old in before.items():
        new = norm.get_variable("batch_stats", each)
        norm.put_variable("batch_stats", each, jnp.where(moves, new, old))
    return y
