"""Computes the loss of an image and one optimization step, from terms, transform and optimizer."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
from jaxtyping import Array, Float, Key

from lecture_models.image_space.optimizers import Optimizer
from lecture_models.image_space.parameterizations import Parameterization
from lecture_models.image_space.terms import Term, View, evaluate_terms
from lecture_models.image_space.transforms import Transform, identity

# (variables, images in [-1, 1]) -> (logits, activations by the name of their layer)
Network = Callable[[Any, Float[Array, "image height width channel"]], tuple[Any, Any]]


class ImageState(NamedTuple):
    """Holds the params of the images, in their parameterization, and the state of the optimizer."""

    params: Any
    optimizer: Any


def init_image(
    parameterization: Parameterization,
    optimizer: Optimizer,
    images: Float[Array, "image height width channel"],
) -> ImageState:
    """Returns the state of an optimization that begins with given images.

    Args:
        parameterization: how the images are represented.
        optimizer: the optimizer.
        images: the initial images in [-1, 1].

    Returns:
        The state before the first step.
    """
    params = parameterization.encode(images)
    return ImageState(params, optimizer.init(params))


def image_loss(
    network: Network,
    parameterization: Parameterization,
    terms: Sequence[Term],
    params: Any,
    variables: Any,
    targets: Sequence[Any],
    key: Key[Array, ""] | None = None,
    transform: Transform = identity,
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """Returns the loss of images and the value of each of its terms.

    Objectives of the pixels are given the images before the transform; objectives of activations
    and logits are given those of the transformed images.

    Args:
        network: computes logits and activations.
        parameterization: how the images are represented.
        terms: the terms of the loss; their own targets are not used.
        params: the params of the images.
        variables: the variables of the network.
        targets: the target of each term, in the order of `terms`.
        key: random key of the transform; not needed for `identity`.
        transform: the random change of the images before the network.

    Returns:
        The sum over images of the weighted terms, and the mean over images of each term without its
        weight, by its name.
    """
    images = parameterization.decode(params)
    seen = images if transform is identity else transform(key, images)
    logits, activations = network(variables, seen)
    values, named = evaluate_terms(terms, View(images, logits, activations), targets)
    return values.sum(), named


def image_step(
    network: Network,
    parameterization: Parameterization,
    terms: Sequence[Term],
    optimizer: Optimizer,
    transform: Transform = identity,
) -> Callable[..., tuple[ImageState, dict[str, Float[Array, ""]]]]:
    """Returns the function that computes one optimization step of the images.

    Args:
        network: computes logits and activations.
        parameterization: how the images are represented.
        terms: the terms of the loss; their own targets are not used.
        optimizer: the optimizer.
        transform: the random change of the images before the network.

    Returns:
        A pure function `step(state, variables, targets, key)`, which returns the next state and
        scalar metrics: `loss` and each term by its name, as `image_loss` returns them.
    """

    def step(state: ImageState, variables: Any, targets: Sequence[Any], key: Key[Array, ""]):
        def loss_of(params):
            return image_loss(
                network, parameterization, terms, params, variables, targets, key, transform
            )

        (loss, named), gradients = jax.value_and_grad(loss_of, has_aux=True)(state.params)
        params, inner = optimizer.update(gradients, state.optimizer, state.params, loss)
        return ImageState(parameterization.project(params), inner), {"loss": loss, **named}

    return step
