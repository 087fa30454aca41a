"""What an image is optimized for: objectives that add, each with a weight and a name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float


class View(NamedTuple):
    """Images in [-1, 1] and what a network makes of them, perhaps after a transform."""

    images: Float[Array, "image height width channel"]
    logits: Float[Array, "image class"]
    activations: Mapping[str, Float[Array, "image ..."]]


# A view and the arrays to compare it with -> one value per image, less of it being better.
Objective = Callable[[View, Any], Float[Array, " image"]]


class Term(NamedTuple):
    """One part of the loss: `weight` times `objective(view, target)`.

    The target is a pytree of arrays. It is kept apart from the function, so that a step takes it as
    an argument: an array in a closure would be copied into the compiled program.
    """

    name: str
    objective: Objective
    weight: float = 1.0
    target: Any = ()


def targets(terms: Sequence[Term]) -> tuple[Any, ...]:
    return tuple(term.target for term in terms)


def evaluate_terms(
    terms: Sequence[Term], view: View, targets: Sequence[Any]
) -> tuple[Float[Array, " image"], dict[str, Float[Array, ""]]]:
    """The weighted sum for each image, and the mean over images of each term without its weight."""
    total, values = jnp.zeros(len(view.images)), {}
    for term, target in zip(terms, targets, strict=True):
        value = term.objective(view, target)
        total += term.weight * value
        values[term.name] = value.mean()
    return total, values


def negated(objective: Objective) -> Objective:
    """For what is to grow."""
    return lambda view, target: -objective(view, target)
