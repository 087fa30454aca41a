"""The sanity check: does a map change when the network forgets what it learned?"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.extend.core import Literal
from jaxtyping import Array, Float

Variables = Any  # A pytree of arrays.


def order_of_use(function: Callable[..., Any], variables: Variables, *args: Any) -> list[int]:
    """The leaves of `variables`, by number, in the order in which the program first uses them.

    Of a network that goes from the image to the classes, with the layers nearest to the image
    first; leaves that it does not use come last. Nothing is computed.
    """
    program = jax.make_jaxpr(function)(variables, *args).jaxpr
    leaves = program.invars[: len(jax.tree.leaves(variables))]
    first: dict[Any, int] = {}
    for number, equation in enumerate(program.eqns):
        for each in equation.invars:
            if not isinstance(each, Literal):
                first.setdefault(each, number)
    unused = len(program.eqns)
    return sorted(range(len(leaves)), key=lambda leaf: first.get(leaves[leaf], unused))


def randomized(
    variables: Variables, order: list[int], share: float, random: np.random.Generator
) -> Variables:
    """The variables with the last `share` of the leaves, in that order, shuffled, each in itself.

    So every leaf keeps its distribution and the activations their scale. Raises ValueError for a
    share outside [0, 1].

    Adebayo et al., "Sanity checks for saliency maps", 2018, section 3: from the top layer down,
    there with fresh initial values.
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"share is {share}; it must be from 0 to 1")
    leaves, structure = jax.tree.flatten(variables)
    for leaf in order[len(order) - round(share * len(order)) :]:
        values = np.asarray(leaves[leaf])
        leaves[leaf] = jax.numpy.asarray(random.permutation(values.ravel()).reshape(values.shape))
    return jax.tree.unflatten(structure, leaves)


def rank_correlation(
    first: Float[Array | np.ndarray, "height width"],
    second: Float[Array | np.ndarray, "height width"],
) -> float:
    """Spearman's: 1 for maps of one order, 0 for unrelated ones; 0 where one has only one value."""
    one, other = _ranks(np.asarray(first)), _ranks(np.asarray(second))
    one, other = one - one.mean(), other - other.mean()
    scale = np.sqrt((one**2).sum() * (other**2).sum())
    return float((one * other).sum() / scale) if scale > 0.0 else 0.0


def _ranks(values: Float[np.ndarray, "height width"]) -> Float[np.ndarray, " pixel"]:
    """From 1; equal values have the mean of theirs. SciPy's needs a second to be imported."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2.0)[place.ravel()]
