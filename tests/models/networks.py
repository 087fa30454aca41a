"""Describes networks of any size for tests by shapes, or fills them with weights from NumPy.

Tracing an `init` is fast; running that of a large network takes seconds.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn


def image_shape(side: int, batch: int = 1) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((batch, side, side, 3), jnp.float32)


@functools.cache
def described(model: nn.Module, side: int) -> dict[str, Any]:
    """Returns the shapes of a network's variables."""
    return jax.eval_shape(model.init, jax.random.key(0), image_shape(side))


@functools.cache
def outputs(model: nn.Module, side: int, training: bool = False) -> tuple[tuple[int, ...], dict]:
    """Returns the shapes of logits and activations, in forward order, without the batch."""
    order = []

    def apply(variables, images):
        rngs = {"dropout": jax.random.key(1)}
        (logits, activations), _ = model.apply(
            variables, images, training, rngs=rngs, mutable=["batch_stats"]
        )
        order.extend(activations)  # What eval_shape returns is sorted by name.
        return logits, activations

    logits, activations = jax.eval_shape(apply, described(model, side), image_shape(side))
    return logits.shape[1:], {name: activations[name].shape[1:] for name in order}


def filled(model: nn.Module, side: int, seed: int = 0) -> dict[str, Any]:
    """Draws kernels of He's scale, small positive biases, and statistics near 0 and 1."""
    draw = np.random.default_rng(seed)

    def fill(path, leaf):
        name = path[-1].key
        if name == "kernel":
            scale = np.sqrt(2.0 / np.prod(leaf.shape[:-1]))
            return jnp.asarray(scale * draw.standard_normal(leaf.shape, np.float32))
        low, high = (0.5, 1.5) if name in ("scale", "var") else (0.0, 0.2)
        return jnp.asarray(draw.uniform(low, high, leaf.shape).astype(np.float32))

    return jax.tree_util.tree_map_with_path(fill, described(model, side))


def pictures(side: int, batch: int = 2, seed: int = 7) -> jax.Array:
    draw = np.random.default_rng(seed)
    return jnp.asarray(draw.uniform(-1.0, 1.0, (batch, side, side, 3)).astype(np.float32))


def rectifiers(model: nn.Module, side: int, training: bool = False) -> int:
    """Counts how often a network calls its nonlinearity, in evaluation or in training."""
    calls = []

    def counted(x):
        calls.append(x.shape)
        return jax.nn.relu(x)

    rngs = {"dropout": jax.random.key(1)}
    jax.eval_shape(
        lambda variables, images: model.clone(nonlinearity=counted).apply(
            variables, images, training, rngs=rngs, mutable=["batch_stats"]
        ),
        described(model, side),
        image_shape(side),
    )
    return len(calls)
