"""Checks whether an attribution depends on what the network learned, by shuffling its parameters.

Adebayo et al., 2018, Sanity checks for saliency maps, section 3.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float

from lecture_models.metrics.jaxpr import propagate

Variables = Any  # A pytree of arrays.


def order_of_use(function: Callable[..., Any], variables: Variables, *args: Any) -> list[int]:
    """Returns the leaves of `variables` in the order in which a function first uses them.

    For a network, the leaves of the layers nearest to the image come first. The function is traced,
    not computed.

    Args:
        function: a function of the variables and `args`.
        variables: a pytree of arrays.
        *args: further arguments of the function.

    Returns:
        The indices of the leaves, as `jax.tree.leaves` counts them. Leaves that are not used come
        last.
    """
    program = jax.make_jaxpr(function)(variables, *args).jaxpr
    count = len(jax.tree.leaves(variables))
    first_use: dict[int, int] = {}

    def note_leaves(equation, inputs):
        for leaf in inputs:
            if leaf is not None:
                first_use.setdefault(leaf, len(first_use))
        return [None] * len(equation.outvars)

    others = [None] * (len(program.invars) - count)
    propagate(program, [*range(count), *others], None, note_leaves)
    return sorted(range(count), key=lambda leaf: first_use.get(leaf, count))


def randomized(
    variables: Variables, order: list[int], share: float, random: np.random.Generator
) -> Variables:
    """Returns the variables with the values of the last leaves shuffled, each leaf within itself.

    Each leaf thus keeps its distribution, and activations keep their scale. The paper draws new
    initial values instead, from the top layer down.

    Args:
        variables: a pytree of arrays.
        order: the order of the leaves, as `order_of_use` returns it.
        share: share of the leaves to shuffle, from the end of that order; from 0 to 1.
        random: generator of the permutations.

    Returns:
        The shuffled variables.

    Raises:
        ValueError: if `share` is outside of [0, 1].
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
    """Returns Spearman's rank correlation of two maps.

    Args:
        first: a map.
        second: a map of the same size.

    Returns:
        The correlation: 1 if the pixels of both maps are in the same order, 0 for unrelated maps,
        -1 for opposite orders; 0 if a map is constant.
    """
    first_ranks, second_ranks = _ranks(np.asarray(first)), _ranks(np.asarray(second))
    first_ranks, second_ranks = first_ranks - first_ranks.mean(), second_ranks - second_ranks.mean()
    scale = np.sqrt((first_ranks**2).sum() * (second_ranks**2).sum())
    return float((first_ranks * second_ranks).sum() / scale) if scale > 0.0 else 0.0


def _ranks(values: Float[np.ndarray, "height width"]) -> Float[np.ndarray, " pixel"]:
    """Ranks values from 1; equal values share the mean of their ranks.

    SciPy has such a function, but takes a second to import.
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2.0)[place.ravel()]
