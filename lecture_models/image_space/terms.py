"""Defines the terms of a loss on images: objectives, each with a name, a weight and a target."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float


class View(NamedTuple):
    """Holds what an objective may depend on.

    Attributes:
        images: the images in [-1, 1].
        logits: the network's logits for them, perhaps after a random transform of the images.
        activations: the network's activations by the name of their layer, likewise.
    """

    images: Float[Array, "image height width channel"]
    logits: Float[Array, "image class"]
    activations: Mapping[str, Float[Array, "image ..."]]


# (view, target: a pytree of arrays) -> one value per image; lower is better.
Objective = Callable[[View, Any], Float[Array, " image"]]


class Term(NamedTuple):
    """Describes one term of the loss: `weight` times `objective(view, target)`.

    Attributes:
        name: the name under which its value is logged.
        objective: the objective.
        weight: the factor in the loss; negative to maximize the objective.
        target: a pytree of arrays. It is separate from the objective so that a step can take it as
            an argument; an array in a closure would be copied into the compiled program.
    """

    name: str
    objective: Objective
    weight: float = 1.0
    target: Any = ()


def targets(terms: Sequence[Term]) -> tuple[Any, ...]:
    """Returns the targets of terms, in their order.

    Args:
        terms: the terms.

    Returns:
        One target per term.
    """
    return tuple(term.target for term in terms)


def evaluate_terms(
    terms: Sequence[Term], view: View, targets: Sequence[Any]
) -> tuple[Float[Array, " image"], dict[str, Float[Array, ""]]]:
    """Returns the weighted sum of terms and the value of each term.

    Args:
        terms: the terms; their own targets are not used.
        view: the images with their logits and activations.
        targets: the target of each term, in the order of `terms`.

    Returns:
        The weighted sum of each image, and the mean over images of each term without its weight,
        by its name.
    """
    total, values = jnp.zeros(len(view.images)), {}
    for term, target in zip(terms, targets, strict=True):
        value = term.objective(view, target)
        total += term.weight * value
        values[term.name] = value.mean()
    return total, values


def negated(objective: Objective) -> Objective:
    """Returns the objective with its sign changed, so that minimizing it maximizes the original.

    Args:
        objective: the objective to maximize.

    Returns:
        The negated objective.
    """
    return lambda view, target: -objective(view, target)
