"""Objectives on the named activations and the logits of any network; less is better.

A unit, a channel or a class to be excited is `negated(...)`, or has a negative weight.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from lecture_models.image_space.gram import gram_loss
from lecture_models.image_space.terms import Objective, View

_SPACE_AND_CHANNELS = (1, 2, 3)


def feature_match(layer: str) -> Objective:
    """1/2 sum of (F - P)^2 over the layer, P the target. Gatys, Ecker and Bethge, 2016, eq. 1."""

    def objective(view: View, target: Float[Array, "... row column channel"]):
        features = view.activations[layer]
        target = jnp.broadcast_to(target, features.shape)
        return 0.5 * jnp.square(features - target).reshape(len(features), -1).sum(1)

    return objective


def gram_match(layer: str) -> Objective:
    """`gram_loss` of the layer; the target has `gram`, and may have `places` and `mask`."""

    def objective(view: View, target: dict[str, Array]):
        return gram_loss(
            view.activations[layer], target["gram"], target.get("mask"), target.get("places")
        )

    return objective


def layer_energy(layer: str) -> Objective:
    """1/2 sum of F^2, whose gradient with respect to F is F: what DeepDream lets grow."""

    def objective(view: View, target):
        features = view.activations[layer]
        return 0.5 * jnp.square(features).reshape(len(features), -1).sum(1)

    return objective


def guided_match(layer: str) -> Objective:
    """Sum over places of F . Y_j, Y_j being the guide's feature of the largest product with F.

    The match j is held fixed, so the gradient with respect to F is Y_j. The target is Y. As guided
    dreams of github.com/google/deepdream.
    """

    def objective(view: View, target: Float[Array, "guide_place channel"]):
        features = view.activations[layer]
        flat = features.reshape(len(features), -1, features.shape[-1])
        best = jnp.argmax(flat @ target.T, axis=-1)
        return (flat * target[best]).sum((1, 2))

    return objective


def channel_mean(layer: str, channel: int) -> Objective:
    """The mean activation of one channel over all places."""
    return lambda view, target: view.activations[layer][..., channel].mean((1, 2))


def neuron(layer: str, row: int, column: int, channel: int) -> Objective:
    """The activation of one unit."""
    return lambda view, target: view.activations[layer][:, row, column, channel]


def class_logit(index: int) -> Objective:
    """The score S_c before the softmax. Simonyan, Vedaldi and Zisserman, 2014, eq. 1."""
    return lambda view, target: view.logits[:, index]


def class_log_probability(index: int) -> Objective:
    """log of the softmax, which may also grow by lowering the other scores."""
    return lambda view, target: jax.nn.log_softmax(view.logits)[:, index]


def own_class_logit() -> Objective:
    """The score of a class for each image: the target is the index of image i's own, an integer."""
    return lambda view, target: _own(view.logits, target)


def own_class_log_probability() -> Objective:
    """`class_log_probability`, each image with a class of its own, as in `own_class_logit`."""
    return lambda view, target: _own(jax.nn.log_softmax(view.logits), target)


def _own(
    values: Float[Array, "image class"], indices: Int[Array, " image"]
) -> Float[Array, " image"]:
    return jnp.take_along_axis(values, indices[:, None], axis=1)[:, 0]


def total_variation(beta: float = 2.0) -> Objective:
    """R_Vbeta = sum of ((x_right - x)^2 + (x_below - x)^2)^(beta/2), over places and channels.

    For beta 1 it is the total variation. A place without differences has a gradient of 0. Only
    places with both neighbors count. Mahendran and Vedaldi, 2015, section 2.
    """

    def objective(view: View, target):
        x = view.images
        right = x[:, :-1, 1:] - x[:, :-1, :-1]
        below = x[:, 1:, :-1] - x[:, :-1, :-1]
        squares = right**2 + below**2
        flat = squares == 0.0
        powers = jnp.where(flat, 1.0, squares) ** (beta / 2.0)
        return jnp.where(flat, 0.0, powers).sum(_SPACE_AND_CHANNELS)

    return objective


def alpha_norm(alpha: float = 6.0, center: float = 0.0) -> Objective:
    """R_alpha = sum of |x - center|^alpha. Mahendran and Vedaldi, 2015, section 2."""
    return lambda view, target: (jnp.abs(view.images - center) ** alpha).sum(_SPACE_AND_CHANNELS)


def image_match(weights: bool = False) -> Objective:
    """1/2 sum of (x - y)^2 over the pixels; the target has `image`, and `weights` where said.

    The weights are of places: (row, column). A temporal term is one.
    """

    def objective(view: View, target: dict[str, Array]):
        squares = jnp.square(view.images - target["image"][None])
        if weights:
            squares = squares * target["weights"][None, :, :, None]
        return 0.5 * squares.sum(_SPACE_AND_CHANNELS)

    return objective
