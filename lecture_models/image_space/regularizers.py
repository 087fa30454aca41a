"""What keeps an image natural by changing it after an update, not by a term of the loss.

Yosinski et al., 2015, Understanding neural networks through deep visualization, section 3.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int32

from lecture_models.image_space.optimizers import Optimizer

Images = Float[Array, "image height width channel"]
Quiet = Float[Array, "image height width 1"]

# Images, the gradients they were moved by, the number of updates before -> images.
Rule = Callable[[Images, Images, Int32[Array, ""]], Images]


class RuledState(NamedTuple):
    inner: Any
    count: Int32[Array, ""]


def ruled(optimizer: Optimizer, rules: Sequence[Rule]) -> Optimizer:
    """The optimizer's update of an image's pixels, then each rule in turn."""
    if not rules:
        return optimizer

    def init(params):
        return RuledState(optimizer.init(params), jnp.zeros((), jnp.int32))

    def update(gradients, state, params, value):
        params, inner = optimizer.update(gradients, state.inner, params, value)
        for rule in rules:
            params = rule(params, gradients, state.count)
        return params, RuledState(inner, state.count + 1)

    return Optimizer(init, update, lambda params, state: optimizer.accepted(params, state.inner))


def blur_every(every: int, sigma: float) -> Rule:
    """A Gaussian blur of `sigma` pixels after every so many updates."""

    def rule(images, gradients, count):
        return jnp.where((count + 1) % every == 0, gaussian_blur(images, sigma), images)

    return rule


def clip_small_norm(share: float, origin: Float[Array, " channel"]) -> Rule:
    """Pixels go to `origin` where their distance from it is among the smallest `share` of all."""

    def rule(images, gradients, count):
        norm = jnp.linalg.norm(images - origin.reshape(1, 1, 1, -1), axis=-1, keepdims=True)
        return _quietened(images, norm, share, origin)

    return rule


def clip_small_contribution(share: float, origin: Float[Array, " channel"]) -> Rule:
    """Pixels go to `origin` where it would change the loss least, to first order.

    |sum over colors of (x - origin) g|, g being the gradient before the update.
    """

    def rule(images, gradients, count):
        products = (images - origin.reshape(1, 1, 1, -1)) * gradients
        contribution = jnp.abs(products.sum(-1, keepdims=True))
        return _quietened(images, contribution, share, origin)

    return rule


def _quietened(images: Images, size: Quiet, share: float, origin) -> Images:
    bounds = jnp.quantile(size, share, axis=(1, 2, 3), keepdims=True)
    return jnp.where(size < bounds, origin.reshape(1, 1, 1, -1), images)


def gaussian_blur(images: Images, sigma: float) -> Images:
    """Of `sigma` pixels, cut off at three of them; the edge is continued by its last pixel."""
    radius = math.ceil(3.0 * sigma)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    height, width = images.shape[1:3]
    rows = jnp.pad(images, ((0, 0), (radius, radius), (0, 0), (0, 0)), mode="edge")
    images = sum(float(w) * rows[:, i : i + height] for i, w in enumerate(weights))
    columns = jnp.pad(images, ((0, 0), (0, 0), (radius, radius), (0, 0)), mode="edge")
    return sum(float(w) * columns[:, :, i : i + width] for i, w in enumerate(weights))
