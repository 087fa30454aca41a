"""Defines the last layer of a classifier, which may be absent."""

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
    """Computes logits by a dense submodule of the linen module that calls this function.

    It must be called within a compact method.

    Args:
        features: the features of each example.
        num_classes: the number of classes; 0 means that there is no layer.
        dtype: the type in which the layer computes.
        name: the submodule's name.

    Returns:
        Logits in float32, of shape (batch, 0) if `num_classes` is 0.
    """
    if num_classes == 0:
        return jnp.zeros((len(features), 0), jnp.float32)
    return nn.Dense(num_classes, dtype=dtype, name=name)(features).astype(jnp.float32)
