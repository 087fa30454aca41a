"""Regularizes an image by changing it after an update, not by a term of the loss.

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
PixelValues = Float[Array, "image height width 1"]

# (images after an update, the gradients of the loss before it, number of earlier updates) -> images
Rule = Callable[[Images, Images, Int32[Array, ""]], Images]


class RegularizedState(NamedTuple):
    """Holds the state of an optimizer and the number of updates it has made."""

    inner: Any
    count: Int32[Array, ""]


def with_rules(optimizer: Optimizer, rules: Sequence[Rule]) -> Optimizer:
    """Returns an optimizer that applies rules to the pixels after each update.

    Args:
        optimizer: the optimizer, whose params must be the pixels themselves.
        rules: the rules, applied in this order.

    Returns:
        The optimizer; `optimizer` itself if there are no rules.
    """
    if not rules:
        return optimizer

    def init(params):
        return RegularizedState(optimizer.init(params), jnp.zeros((), jnp.int32))

    def update(gradients, state, params, value):
        params, inner = optimizer.update(gradients, state.inner, params, value)
        for rule in rules:
            params = rule(params, gradients, state.count)
        return params, RegularizedState(inner, state.count + 1)

    return Optimizer(init, update, lambda params, state: optimizer.accepted(params, state.inner))


def blur_every(every: int, sigma: float) -> Rule:
    """Returns the rule that blurs the images at regular intervals.

    Args:
        every: number of updates between two blurs.
        sigma: standard deviation of the Gaussian in pixels.

    Returns:
        The rule.
    """

    def rule(images, gradients, count):
        return jnp.where((count + 1) % every == 0, gaussian_blur(images, sigma), images)

    return rule


def clip_small_norm(share: float, origin: Float[Array, " channel"]) -> Rule:
    """Returns the rule that sets the pixels of small norm to one color.

    The norm of a pixel is its Euclidean distance from `origin`. The quantile is that of each image.

    Args:
        share: share of the pixels to set, from 0 to 1: those of the smallest norms.
        origin: the color that they are set to, in [-1, 1].

    Returns:
        The rule.
    """

    def rule(images, gradients, count):
        norm = jnp.linalg.norm(images - origin.reshape(1, 1, 1, -1), axis=-1, keepdims=True)
        return _with_small_set(images, norm, share, origin)

    return rule


def clip_small_contribution(share: float, origin: Float[Array, " channel"]) -> Rule:
    """Returns the rule that sets the pixels of small contribution to one color.

    The contribution of a pixel x is |sum over channels of (x - origin) g|, where g is the gradient
    before the update: to first order, the change of the loss if the pixel were set to `origin`.

    Args:
        share: share of the pixels to set, from 0 to 1: those of the smallest contributions.
        origin: the color that they are set to, in [-1, 1].

    Returns:
        The rule.
    """

    def rule(images, gradients, count):
        products = (images - origin.reshape(1, 1, 1, -1)) * gradients
        contribution = jnp.abs(products.sum(-1, keepdims=True))
        return _with_small_set(images, contribution, share, origin)

    return rule


def _with_small_set(images: Images, sizes: PixelValues, share: float, origin) -> Images:
    bounds = jnp.quantile(sizes, share, axis=(1, 2, 3), keepdims=True)
    return jnp.where(sizes < bounds, origin.reshape(1, 1, 1, -1), images)


def gaussian_blur(images: Images, sigma: float) -> Images:
    """Returns images blurred by a Gaussian, truncated at three standard deviations.

    Beyond an edge, the image continues with its last pixel.

    Args:
        images: the images.
        sigma: standard deviation in pixels.

    Returns:
        Images of the same shape.
    """
    radius = math.ceil(3.0 * sigma)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    height, width = images.shape[1:3]
    rows = jnp.pad(images, ((0, 0), (radius, radius), (0, 0), (0, 0)), mode="edge")
    images = sum(float(weight) * rows[:, i : i + height] for i, weight in enumerate(weights))
    columns = jnp.pad(images, ((0, 0), (0, 0), (radius, radius), (0, 0)), mode="edge")
    return sum(float(weight) * columns[:, :, i : i + width] for i, weight in enumerate(weights))
