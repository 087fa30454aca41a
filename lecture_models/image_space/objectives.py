"""Defines objectives on the activations and logits of a network, and on the pixels of an image.

An objective takes a `View` and a target, and returns one value per image, which is minimized. To
maximize a unit, a channel or a class score, negate the objective, or give its term a negative
weight.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from lecture_models.image_space.gram import gram_loss, gram_matrix
from lecture_models.image_space.terms import Objective, View

_SPACE_AND_CHANNELS = (1, 2, 3)


def feature_match(layer: str) -> Objective:
    """Returns the content loss of a layer.

    1/2 sum of (F - P)^2 over positions and channels. Gatys, Ecker and Bethge, 2016, equation 1.

    Args:
        layer: name of the layer.

    Returns:
        The objective. Its target is P, (row, column, channel) for all images or with an image axis.
    """

    def objective(view: View, target: Float[Array, "... row column channel"]):
        features = view.activations[layer]
        target = jnp.broadcast_to(target, features.shape)
        return 0.5 * jnp.square(features - target).reshape(len(features), -1).sum(1)

    return objective


def gram_match(layer: str) -> Objective:
    """Returns the style loss of a layer, `gram_loss`.

    Args:
        layer: name of the layer.

    Returns:
        The objective. Its target is a dict with `gram`, the target's Gram matrix, and optionally
        `places`, the number of positions it sums over, and `mask`, the weight of each position.
    """

    def objective(view: View, target: dict[str, Array]):
        return gram_loss(
            view.activations[layer], target["gram"], target.get("mask"), target.get("places")
        )

    return objective


def layer_energy(layer: str) -> Objective:
    """Returns half the squared norm of a layer, which DeepDream maximizes.

    1/2 sum of F^2; its gradient with respect to F is F. Mordvintsev, Olah and Tyka, 2015,
    github.com/google/deepdream.

    Args:
        layer: name of the layer.

    Returns:
        The objective. Its target is not used.
    """

    def objective(view: View, target):
        features = view.activations[layer]
        return 0.5 * jnp.square(features).reshape(len(features), -1).sum(1)

    return objective


def guided_match(layer: str) -> Objective:
    """Returns the dot products of a layer with the best-matching features of a guide image.

    Sum over positions k of F_k . Y_j(k), where j(k) is the position of the guide whose features
    have the largest dot product with F_k. As j is held fixed, the gradient with respect to F_k is
    Y_j(k). From the guided dreams of github.com/google/deepdream.

    Args:
        layer: name of the layer.

    Returns:
        The objective. Its target is Y, the guide's features, (position, channel).
    """

    def objective(view: View, target: Float[Array, "guide_place channel"]):
        features = view.activations[layer]
        flat = features.reshape(len(features), -1, features.shape[-1])
        best = jnp.argmax(flat @ target.T, axis=-1)
        return (flat * target[best]).sum((1, 2))

    return objective


def channel_mean(layer: str, channel: int) -> Objective:
    """Returns the mean activation of one channel over all positions.

    Args:
        layer: name of the layer.
        channel: index of the channel, from 0.

    Returns:
        The objective. Its target is not used.
    """
    return lambda view, target: view.activations[layer][..., channel].mean((1, 2))


def neuron(layer: str, row: int, column: int, channel: int) -> Objective:
    """Returns the activation of one unit.

    Args:
        layer: name of the layer.
        row: row of the unit, from 0.
        column: column of the unit, from 0.
        channel: index of the unit's channel, from 0.

    Returns:
        The objective. Its target is not used.
    """
    return lambda view, target: view.activations[layer][:, row, column, channel]


def direction_mean(layer: str) -> Objective:
    """Returns the mean over all positions of a layer's features along a direction.

    mean over positions k of F_k . v. Olah, Mordvintsev and Schubert, 2017, Feature visualization,
    section on interaction between neurons.

    Args:
        layer: name of the layer.

    Returns:
        The objective. Its target is v, one value per channel.
    """
    return lambda view, target: (view.activations[layer] @ target).mean((1, 2))


def direction_at(layer: str, row: int, column: int) -> Objective:
    """Returns a layer's features at one position along a direction: F_k . v.

    Args:
        layer: name of the layer.
        row: row of the position, from 0.
        column: column of the position, from 0.

    Returns:
        The objective. Its target is v, one value per channel.
    """
    return lambda view, target: view.activations[layer][:, row, column] @ target


def gram_similarity(layer: str) -> Objective:
    """Returns how similar each image's features are to those of the other images.

    The mean over the other images j of <G_i, G_j> / (|G_i| |G_j|), with Gram matrices G. Minimized,
    it makes the images of one unit different: the diversity term of Olah, Mordvintsev and Schubert,
    2017, Feature visualization, section on diversity.

    Args:
        layer: name of the layer.

    Returns:
        The objective, from -1 to 1; 1 if all images have equal features. Its target is not used.
        There must be at least 2 images.
    """

    def objective(view: View, target):
        grams = gram_matrix(view.activations[layer]).reshape(len(view.images), -1)
        norms = jnp.sqrt(jnp.maximum(jnp.square(grams).sum(1, keepdims=True), 1e-20))
        cosines = (grams / norms) @ (grams / norms).T
        return (cosines.sum(1) - jnp.diagonal(cosines)) / (len(grams) - 1)

    return objective


def class_logit(index: int) -> Objective:
    """Returns the logit of a class: S_c in equation 1 of Simonyan et al., 2014.

    Args:
        index: index of the class, from 0.

    Returns:
        The objective. Its target is not used.
    """
    return lambda view, target: view.logits[:, index]


def class_log_probability(index: int) -> Objective:
    """Returns the log probability of a class, which also rises when other logits fall.

    Args:
        index: index of the class, from 0.

    Returns:
        The objective, in nats, at most 0. Its target is not used.
    """
    return lambda view, target: jax.nn.log_softmax(view.logits)[:, index]


def own_class_logit() -> Objective:
    """Returns the logit of each image's own class.

    Returns:
        The objective. Its target is the index of each image's class, integers of shape (image,).
    """
    return lambda view, target: _own(view.logits, target)


def own_class_log_probability() -> Objective:
    """Returns the log probability of each image's own class.

    Returns:
        The objective, in nats, at most 0. Its target is the index of each image's class, integers
        of shape (image,).
    """
    return lambda view, target: _own(jax.nn.log_softmax(view.logits), target)


def _own(
    values: Float[Array, "image class"], indices: Int[Array, " image"]
) -> Float[Array, " image"]:
    return jnp.take_along_axis(values, indices[:, None], axis=1)[:, 0]


def total_variation(beta: float = 2.0) -> Objective:
    """Returns the total variation of an image, to the power beta.

    R_Vbeta = sum over pixels and channels of ((x_right - x)^2 + (x_below - x)^2)^(beta/2); 0 for a
    constant image. A neighbor beyond the image counts as equal, so every pair of neighbors is
    counted once, those along the last row and column too. Where both differences are 0, the
    gradient is set to 0. Mahendran and Vedaldi, 2015, section 2.

    Args:
        beta: the exponent; 1 gives the total variation itself.

    Returns:
        The objective. Its target is not used.
    """

    def objective(view: View, target):
        x = view.images
        right = jnp.pad(x[:, :, 1:] - x[:, :, :-1], ((0, 0), (0, 0), (0, 1), (0, 0)))
        below = jnp.pad(x[:, 1:] - x[:, :-1], ((0, 0), (0, 1), (0, 0), (0, 0)))
        squares = right**2 + below**2
        flat = squares == 0.0
        powers = jnp.where(flat, 1.0, squares) ** (beta / 2.0)
        return jnp.where(flat, 0.0, powers).sum(_SPACE_AND_CHANNELS)

    return objective


def alpha_norm(alpha: float = 6.0, center: float = 0.0) -> Objective:
    """Returns the alpha-norm of an image, to the power alpha.

    R_alpha = sum over pixels and channels of |x - center|^alpha. Mahendran and Vedaldi, 2015,
    section 2.

    Args:
        alpha: the exponent.
        center: the pixel value that costs nothing; 0 is mid-gray.

    Returns:
        The objective. Its target is not used.
    """
    return lambda view, target: (jnp.abs(view.images - center) ** alpha).sum(_SPACE_AND_CHANNELS)


def image_match(weights: bool = False) -> Objective:
    """Returns half the squared distance of the pixels from those of a target image.

    1/2 sum over pixels and channels of w (x - y)^2.

    Args:
        weights: True if the target has weights w of pixels, such as those of a temporal loss; False
            for weights of 1.

    Returns:
        The objective. Its target is a dict with `image`, y, (height, width, channel), and with
        `weights`, (height, width), if `weights` is True.
    """

    def objective(view: View, target: dict[str, Array]):
        squares = jnp.square(view.images - target["image"][None])
        if weights:
            squares = squares * target["weights"][None, :, :, None]
        return 0.5 * squares.sum(_SPACE_AND_CHANNELS)

    return objective
