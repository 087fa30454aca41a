"""One step of an image: objective, parameterization, transform and optimizer meet."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
from jaxtyping import Array, Float, Key

from lecture_models.image_space.optimizers import Optimizer
from lecture_models.image_space.parameterizations import Parameterization
from lecture_models.image_space.terms import Term, View, evaluate_terms
from lecture_models.image_space.transforms import Transform, identity

# Variables and images in [-1, 1] -> logits and activations.
Network = Callable[[Any, Float[Array, "image height width channel"]], tuple[Any, Any]]


class ImageState(NamedTuple):
    params: Any
    optimizer: Any


def init_image(
    parameterization: Parameterization,
    optimizer: Optimizer,
    images: Float[Array, "image height width channel"],
) -> ImageState:
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
    """The sum over images of the weighted terms, and each term's mean over images.

    Terms of the pixels see the images before the `transform`, those of activations after it; it
    needs the key.
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
    """A step (state, variables, targets, key) -> next state and metrics, `loss` and every term."""

    def step(state: ImageState, variables: Any, targets: Sequence[Any], key: Key[Array, ""]):
        def loss_of(params):
            return image_loss(
                network, parameterization, terms, params, variables, targets, key, transform
            )

        (loss, named), gradients = jax.value_and_grad(loss_of, has_aux=True)(state.params)
        params, inner = optimizer.update(gradients, state.optimizer, state.params, loss)
        return ImageState(parameterization.project(params), inner), {"loss": loss, **named}

    return step
