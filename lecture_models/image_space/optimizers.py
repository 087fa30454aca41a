"""Defines the optimizers of an image: normalized gradient steps, and those of optax.

L-BFGS has the same interface; see `lbfgs.py`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float


class Optimizer(NamedTuple):
    """Holds the pure functions of an optimizer, which share only its state.

    Attributes:
        init: `init(params)` returns the initial state.
        update: `update(gradients, state, params, value)` returns the next params and state, where
            `value` is the loss at `params`.
        accepted: `accepted(params, state)` returns the params to show. They differ from `params`
            where these are the trial point of a line search.
    """

    init: Callable[[Any], Any]
    update: Callable[[Any, Any, Any, Float[Array, ""]], tuple[Any, Any]]
    accepted: Callable[[Any, Any], Any] = lambda params, state: params


def from_optax(transformation: optax.GradientTransformation) -> Optimizer:
    """Returns an optimizer that applies an optax transformation and ignores the loss itself.

    Args:
        transformation: any optax transformation.

    Returns:
        The optimizer.
    """

    def update(gradients, state, params, value):
        updates, state = transformation.update(gradients, state, params)
        return optax.apply_updates(params, updates), state

    return Optimizer(transformation.init, update)


def normalized_gradient(rate: float) -> Optimizer:
    """Returns gradient descent with gradients divided by their mean absolute value.

    x <- x - rate * g / mean |g|, the mean taken over each image: the step of DeepDream
    (github.com/google/deepdream), with the sign of a descent. The divisor is at least 1e-12, so a
    gradient of 0 leaves the image unchanged.

    Args:
        rate: mean absolute change of a pixel per update.

    Returns:
        The optimizer.
    """

    def scaled(gradient):
        axes = tuple(range(1, gradient.ndim))
        size = jnp.maximum(jnp.abs(gradient).mean(axes, keepdims=True), 1e-12)
        return gradient / size

    def normalize(gradients, state, params=None):
        return jax.tree.map(scaled, gradients), state

    scale = optax.GradientTransformation(lambda params: optax.EmptyState(), normalize)
    return from_optax(optax.chain(scale, optax.sgd(rate)))
