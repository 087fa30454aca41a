"""The last layer of a classifier, or none."""

import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float


def linear_classifier(
    features: Float[Array, "batch feature"],
    num_classes: int,
    dtype: DTypeLike = jnp.float32,
    name: str = "fc",
) -> Float[Array, "batch class"]:
    """Logits in float32, by a dense submodule `name` of the module that calls; use it when compact.

    With `num_classes` 0 there is no layer, and the logits have shape (batch, 0).
    """
    if num_classes == 0:
        return jnp.zeros((len(features), 0), jnp.float32)
    return nn.Dense(num_classes, dtype=dtype, name=name)(features).astype(jnp.float32)
