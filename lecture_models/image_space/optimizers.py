"""How an image moves: gradient steps as on the slides, anything of optax, or L-BFGS."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float


class Optimizer(NamedTuple):
    """Pure functions that share only their state.

    `update(gradients, state, params, value)` gives the next params and state; `accepted(params,
    state)` the params to show, where those under trial may be worse.
    """

    init: Callable[[Any], Any]
    update: Callable[[Any, Any, Any, Float[Array, ""]], tuple[Any, Any]]
    accepted: Callable[[Any, Any], Any] = lambda params, state: params


def from_optax(transformation: optax.GradientTransformation) -> Optimizer:
    """One that does not look at the value of the loss."""

    def update(gradients, state, params, value):
        updates, state = transformation.update(gradients, state, params)
        return optax.apply_updates(params, updates), state

    return Optimizer(transformation.init, update)


def normalized_gradient(rate: float) -> Optimizer:
    """x - rate * g / mean |g|, the mean over each image: the step of DeepDream, downhill.

    The mean is at least 1e-12, so that a gradient of 0 leaves the image as it is.
    """

    def scaled(gradient):
        axes = tuple(range(1, gradient.ndim))
        size = jnp.maximum(jnp.abs(gradient).mean(axes, keepdims=True), 1e-12)
        return gradient / size

    def normalize(gradients, state, params=None):
        return jax.tree.map(scaled, gradients), state

    scale = optax.GradientTransformation(lambda params: optax.EmptyState(), normalize)
    return from_optax(optax.chain(scale, optax.sgd(rate)))
